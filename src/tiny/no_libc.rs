//! What Rust's standard library asks of a C library, for a release build for x86-64 where that would be glibc.
//!
//! A static glibc asks the processor what it is, with an instruction that traps in a virtual machine, and prepares for
//! locales, tunables and loading, all before `main`. That costs more than a check does, and 700 KB; and of a C library a
//! check needs only what stands here. So build.rs gives the linker empty libraries, and this takes their place. If a later
//! standard library needs one more function, the linker names it, which is an error, and it belongs here as well. Without
//! link-time optimisation the standard library needs far more, and linking fails; `--no-default-features` links glibc.
//!
//! `unsafe` is needed because this is below Rust: registers, system calls, C strings. It is sound because the program has one
//! thread, because the kernel keeps to the System V ABI for x86-64 and to section 2 of the manual, and because whoever calls
//! one of these functions keeps to C's contract for it, as with any C library. Where a comment says no more than "C's
//! contract", it means that.
#![allow(unsafe_code)]

use std::arch::{asm, global_asm};
use std::ffi::{c_char, c_int, c_long, c_void};
use std::ptr::{copy_nonoverlapping, null};

// The kernel starts the program here, with an aligned stack.
global_asm!(
    ".globl _start",
    "_start:",
    "xor %ebp, %ebp",
    "mov %rsp, %rdi",
    "call {begin}",
    begin = sym begin,
    options(att_syntax),
);

/// The environment, `NAME=VALUE` each, up to a null.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data")]
static mut environ: *const *const c_char = null();

/// The last error of a function below.
static mut ERRNO: c_int = 0;

/// The thread-local variables, which end at what `%fs` points to, which is its own address.
#[repr(C, align(64))]
struct Locals([u8; Locals::ROOM], usize);

impl Locals {
    /// Ten times what the standard library has of them.
    const ROOM: usize = 512;
}

// In .data, and not at the far end of .bss, which would cost a page fault.
#[unsafe(link_section = ".data")]
static mut LOCALS: Locals = Locals([0; Locals::ROOM], 0);

/// A program header (man 5 elf).
#[repr(C)]
struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    address: usize,
    physical_address: usize,
    bytes_in_file: usize,
    bytes: usize,
    alignment: usize,
}

const PT_TLS: u32 = 7;
const AT_NULL: usize = 0;
const AT_PHDR: usize = 3;
const AT_PHNUM: usize = 5;
const ARCH_SET_FS: usize = 0x1002;

/// On the stack are the number of arguments; the arguments and a null; the environment and a null; and pairs of a key and a
/// value, up to one with AT_NULL.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: the parts of this list come in this order, and each ends as it says.
    unsafe {
        let count = *stack;
        let arguments = stack.add(1).cast::<*const c_char>();
        environ = arguments.add(count + 1);
        let mut entry = environ;
        while !(*entry).is_null() {
            entry = entry.add(1);
        }
        let mut pair = entry.add(1).cast::<[usize; 2]>();
        let (mut headers, mut number) = (null::<Header>(), 0);
        loop {
            match *pair {
                [AT_NULL, _] => break,
                [AT_PHDR, address] => headers = address as *const Header,
                [AT_PHNUM, count] => number = count,
                _ => {}
            }
            pair = pair.add(1);
        }
        for at in 0..number {
            fill_locals(&*headers.add(at));
        }
        let thread = &raw mut LOCALS.1;
        *thread = thread as usize;
        call(ARCH_PRCTL, [ARCH_SET_FS, thread as usize]);
        // The kernel allows no more arguments than a c_int can count.
        _exit(super::start::main(count as c_int, arguments))
    }
}

/// Gives the thread-local variables their first values, if this is the header that has them.
unsafe fn fill_locals(header: &Header) {
    if header.kind != PT_TLS {
        return;
    }
    // 0 stands for 1: no alignment.
    let room = header.bytes.next_multiple_of(header.alignment.max(1));
    if room > Locals::ROOM || header.alignment > align_of::<Locals>() {
        abort();
    }
    // SAFETY: the values are at this address of the program, which is linked to run where it says, and there is room.
    unsafe {
        let end = (&raw mut LOCALS.1).cast::<u8>();
        let values = header.address as *const u8;
        copy_nonoverlapping(values, end.sub(room), header.bytes_in_file);
    }
}

// The numbers of system calls on x86-64.
const READ: usize = 0;
const WRITE: usize = 1;
const OPEN: usize = 2;
const CLOSE: usize = 3;
const RT_SIGPROCMASK: usize = 14;
const IOCTL: usize = 16;
const PAUSE: usize = 34;
const NANOSLEEP: usize = 35;
const GETPID: usize = 39;
const GETCWD: usize = 79;
const ARCH_PRCTL: usize = 158;
const CLOCK_GETTIME: usize = 228;
const CLOCK_NANOSLEEP: usize = 230;
const EXIT_GROUP: usize = 231;

/// What the kernel answers: a result, or an error number below zero.
unsafe fn call<const N: usize>(number: usize, arguments: [usize; N]) -> isize {
    // The rest of the six registers is not looked at.
    let [a, b, c, d, e, f] = std::array::from_fn(|at| arguments.get(at).copied().unwrap_or(0));
    let answer: isize;
    // SAFETY: the kernel changes no other registers, and of memory what the caller has named.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    answer
}

/// The same as C has it: -1 is an error, which `errno` names.
unsafe fn checked<const N: usize>(number: usize, arguments: [usize; N]) -> isize {
    // SAFETY: the caller's arguments; one thread.
    unsafe {
        let answer = call(number, arguments);
        if answer < 0 {
            ERRNO = -answer as c_int;
            return -1;
        }
        answer
    }
}

/// Functions that are a system call and no more.
macro_rules! system_calls {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty = $number:ident;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $type),*) -> $result {
            // SAFETY: C's contract.
            unsafe { checked($number, [$($argument as usize),*]) as $result }
        }
    )*};
}

system_calls! {
    read(file: c_int, to: *mut c_void, length: usize) -> isize = READ;
    write(file: c_int, from: *const c_void, length: usize) -> isize = WRITE;
    open64(path: *const c_char, flags: c_int, mode: c_int) -> c_int = OPEN;
    close(file: c_int) -> c_int = CLOSE;
    pause() -> c_int = PAUSE;
    getpid() -> c_int = GETPID;
    // What Rust 1.91 sleeps with; later ones call clock_nanosleep.
    nanosleep(time: *const c_void, left: *mut c_void) -> c_int = NANOSLEEP;
    clock_gettime(clock: c_int, time: *mut c_void) -> c_int = CLOCK_GETTIME;
}

/// In C it takes any number of arguments; on x86-64 they come in the same registers.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    // SAFETY: C's contract.
    unsafe { checked(number as usize, [a, b, c, d, e, f]) as c_long }
}

/// In C it returns the error, and leaves `errno` alone.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    clock: c_int,
    flags: c_int,
    time: *const c_void,
    left: *mut c_void,
) -> c_int {
    let arguments = [clock as usize, flags as usize, time as usize, left as usize];
    // SAFETY: C's contract.
    unsafe { -call(CLOCK_NANOSLEEP, arguments) as c_int }
}

/// C's set of signals is longer than the kernel's.
type SignalSet = [u64; 16];

#[unsafe(no_mangle)]
unsafe extern "C" fn sigemptyset(set: *mut SignalSet) -> c_int {
    // SAFETY: C's contract.
    unsafe { *set = [0; 16] };
    0
}

/// For the signals that the standard has, which are below 64.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaddset(set: *mut SignalSet, signal: c_int) -> c_int {
    // SAFETY: C's contract.
    unsafe { (*set)[0] |= 1 << (signal - 1) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sigprocmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int {
    let arguments = [how as usize, set as usize, old as usize, size_of::<u64>()];
    // SAFETY: C's contract.
    unsafe { checked(RT_SIGPROCMASK, arguments) as c_int }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn isatty(file: c_int) -> c_int {
    const TCGETS: usize = 0x5401;
    let mut settings = [0_u64; 8];
    let to = settings.as_mut_ptr() as usize;
    // SAFETY: the kernel writes 36 bytes.
    let answer = unsafe { checked(IOCTL, [file as usize, TCGETS, to]) };
    c_int::from(answer == 0)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getcwd(to: *mut c_char, length: usize) -> *const c_char {
    // SAFETY: C's contract.
    match unsafe { checked(GETCWD, [to as usize, length]) } {
        -1 => null(),
        _ => to,
    }
}

#[unsafe(no_mangle)]
extern "C" fn _exit(code: c_int) -> ! {
    loop {
        // SAFETY: it touches no memory.
        unsafe { call(EXIT_GROUP, [code as usize]) };
    }
}

/// Nothing is buffered, and nobody asked to be called at the end.
#[unsafe(no_mangle)]
extern "C" fn exit(code: c_int) -> ! {
    _exit(code)
}

#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    // SAFETY: an instruction that there is not; the kernel ends the process for it.
    unsafe { asm!("ud2", options(noreturn)) }
}

#[unsafe(no_mangle)]
extern "C" fn __errno_location() -> *mut c_int {
    &raw mut ERRNO
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getenv(name: *const c_char) -> *const c_char {
    // SAFETY: a C string, and C strings up to a null. One that is shorter than the name differs from it where it ends.
    unsafe {
        let length = strlen(name);
        let mut entry = environ;
        while !(*entry).is_null() {
            let text = *entry;
            let same = (0..length).all(|at| *text.add(at) == *name.add(at));
            if same && *text.add(length) == b'=' as c_char {
                return text.add(length + 1);
            }
            entry = entry.add(1);
        }
    }
    null()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __xpg_strerror_r(number: c_int, to: *mut c_char, room: usize) -> c_int {
    let at = usize::try_from(number).ok();
    let text = at.and_then(|at| ERRORS.split('\n').nth(at));
    let text = text.filter(|text| !text.is_empty());
    let text = text.unwrap_or("Unknown error");
    let length = text.len().min(room.saturating_sub(1));
    // SAFETY: C's contract: there is room for this.
    unsafe {
        copy_nonoverlapping(text.as_ptr(), to.cast(), length);
        *to.add(length) = 0;
    }
    0
}

// Memory and strings, by the processor's own instructions for them: for the few hundred bytes at a time of a check, it does
// not pay to ask which processor it is. In Rust, loops like these would be compiled into calls of these very functions.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: C's contract; between functions the direction is upwards.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") length => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // Upwards, unless the target begins within the source; what is overwritten has then been read.
    if to.addr().wrapping_sub(from.addr()) >= length {
        // SAFETY: C's contract.
        return unsafe { memcpy(to, from, length) };
    }
    // SAFETY: C's contract; the last byte is there, because the length is not 0.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") length => _,
            inout("rdi") to.add(length - 1) => _,
            inout("rsi") from.add(length - 1) => _,
            options(nostack),
        );
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, length: usize) -> *mut u8 {
    // SAFETY: as in memcpy.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") length => _, inout("rdi") to => _, in("al") byte as u8,
            options(nostack, preserves_flags),
        );
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> c_int {
    for at in 0..length {
        // SAFETY: C's contract.
        let (a, b) = unsafe { (*a.add(at), *b.add(at)) };
        if a != b {
            return c_int::from(a) - c_int::from(b);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> c_int {
    // SAFETY: C's contract.
    unsafe { memcmp(a, b, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const c_char) -> usize {
    let left: usize;
    // SAFETY: C's contract: there is an end. The count falls by one for each byte, and for the end.
    unsafe {
        asm!(
            "repne scasb",
            inout("rcx") usize::MAX => left, inout("rdi") text => _, in("al") 0_u8,
            options(nostack, readonly),
        );
    }
    usize::MAX - left - 1
}

/// What each error number is called (man 3 errno), from 0 on; an empty line is a number that there is not.
const ERRORS: &str = "\
    Success\nOperation not permitted\nNo such file or directory\nNo such process\nInterrupted system call\n\
    Input/output error\nNo such device or address\nArgument list too long\nExec format error\n\
    Bad file descriptor\nNo child processes\nResource temporarily unavailable\nCannot allocate memory\n\
    Permission denied\nBad address\nBlock device required\nDevice or resource busy\nFile exists\n\
    Invalid cross-device link\nNo such device\nNot a directory\nIs a directory\nInvalid argument\n\
    Too many open files in system\nToo many open files\nInappropriate ioctl for device\nText file busy\n\
    File too large\nNo space left on device\nIllegal seek\nRead-only file system\nToo many links\nBroken pipe\n\
    Numerical argument out of domain\nNumerical result out of range\nResource deadlock avoided\n\
    File name too long\nNo locks available\nFunction not implemented\nDirectory not empty\n\
    Too many levels of symbolic links\n\nNo message of desired type\nIdentifier removed\n\
    Channel number out of range\nLevel 2 not synchronized\nLevel 3 halted\nLevel 3 reset\n\
    Link number out of range\nProtocol driver not attached\nNo CSI structure available\nLevel 2 halted\n\
    Invalid exchange\nInvalid request descriptor\nExchange full\nNo anode\nInvalid request code\nInvalid slot\n\
    \nBad font file format\nDevice not a stream\nNo data available\nTimer expired\nOut of streams resources\n\
    Machine is not on the network\nPackage not installed\nObject is remote\nLink has been severed\n\
    Advertise error\nSrmount error\nCommunication error on send\nProtocol error\nMultihop attempted\n\
    RFS specific error\nBad message\nValue too large for defined data type\nName not unique on network\n\
    File descriptor in bad state\nRemote address changed\nCan not access a needed shared library\n\
    Accessing a corrupted shared library\n.lib section in a.out corrupted\n\
    Attempting to link in too many shared libraries\nCannot exec a shared library directly\n\
    Invalid or incomplete multibyte or wide character\nInterrupted system call should be restarted\n\
    Streams pipe error\nToo many users\nSocket operation on non-socket\nDestination address required\n\
    Message too long\nProtocol wrong type for socket\nProtocol not available\nProtocol not supported\n\
    Socket type not supported\nOperation not supported\nProtocol family not supported\n\
    Address family not supported by protocol\nAddress already in use\nCannot assign requested address\n\
    Network is down\nNetwork is unreachable\nNetwork dropped connection on reset\n\
    Software caused connection abort\nConnection reset by peer\nNo buffer space available\n\
    Transport endpoint is already connected\nTransport endpoint is not connected\n\
    Cannot send after transport endpoint shutdown\nToo many references: cannot splice\nConnection timed out\n\
    Connection refused\nHost is down\nNo route to host\nOperation already in progress\n\
    Operation now in progress\nStale file handle\nStructure needs cleaning\nNot a XENIX named type file\n\
    No XENIX semaphores available\nIs a named type file\nRemote I/O error\nDisk quota exceeded\n\
    No medium found\nWrong medium type\nOperation canceled\nRequired key not available\nKey has expired\n\
    Key has been revoked\nKey was rejected by service\nOwner died\nState not recoverable\n\
    Operation not possible due to RF-kill\nMemory page has hardware error";
