//! Linux system calls and a process entry without a libc, because starting a libc up is part of what is measured.

use core::arch::{asm, global_asm};

/// The numbers of the system calls that are made here.
#[cfg(target_arch = "x86_64")]
#[allow(dead_code)] // Each program makes some of them.
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const FCNTL: usize = 72;
    pub const PTRACE: usize = 101;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const DUP3: usize = 292;
}

#[cfg(target_arch = "aarch64")]
#[allow(dead_code)]
pub mod nr {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const SOCKET: usize = 198;
    pub const CONNECT: usize = 203;
    pub const EXECVE: usize = 221;
    pub const WAIT4: usize = 260;
    pub const FCNTL: usize = 25;
    pub const PTRACE: usize = 117;
    pub const CLOCK_GETTIME: usize = 113;
    pub const EXIT_GROUP: usize = 94;
    pub const OPENAT: usize = 56;
    pub const PPOLL: usize = 73;
    pub const DUP3: usize = 24;
}

// The kernel enters with the stack pointer at argc, the arguments and the environment.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov rdi, rsp",
    "and rsp, -16",
    "call start"
);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x0, sp", "bl start");

/// A system call of up to four arguments: its result, or the negated error number.
pub fn call<const N: usize>(nr: usize, arguments: [usize; N]) -> isize {
    let argument = |at| arguments.get(at).copied().unwrap_or(0);
    let result;
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr => result,
            in("rdi") argument(0),
            in("rsi") argument(1),
            in("rdx") argument(2),
            in("r10") argument(3),
            in("r8") 0,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0",
            in("x8") nr,
            inlateout("x0") argument(0) => result,
            in("x1") argument(1),
            in("x2") argument(2),
            in("x3") argument(3),
            in("x4") 0,
            options(nostack),
        );
    }
    result
}

/// Runs the program that `arguments` begin with, by vfork: the child borrows this memory until it has memory of its own,
/// so between the two calls it may touch nothing but registers.
///
/// # Safety
///
/// Both are arrays of C strings that end in null.
#[allow(dead_code)]
pub unsafe fn spawn(arguments: *const *const u8, environment: *const *const u8) -> isize {
    let program = unsafe { *arguments };
    let result;
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "mov eax, {execve}",
            "syscall",
            "mov edi, 127",
            "mov eax, {exit_group}",
            "syscall",
            "2:",
            execve = const nr::EXECVE,
            exit_group = const nr::EXIT_GROUP,
            inlateout("rax") 58_isize => result, // vfork
            in("rdi") program,
            in("rsi") arguments,
            in("rdx") environment,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x0, x5",
            "mov x1, x6",
            "mov x2, x7",
            "mov x8, {execve}",
            "svc 0",
            "mov x0, 127",
            "mov x8, {exit_group}",
            "svc 0",
            "2:",
            execve = const nr::EXECVE,
            exit_group = const nr::EXIT_GROUP,
            in("x8") 220, // clone, which on this architecture is vfork too:
            inlateout("x0") 0x4111_isize => result, // CLONE_VFORK | CLONE_VM | SIGCHLD
            in("x1") 0,
            in("x2") 0,
            in("x3") 0,
            in("x4") 0,
            in("x5") program,
            in("x6") arguments,
            in("x7") environment,
            options(nostack),
        );
    }
    result
}

/// Ends the process.
pub fn exit(code: usize) -> ! {
    call(nr::EXIT_GROUP, [code]);
    loop {}
}

/// The compiler calls it to clear arrays, libc or no libc.
///
/// # Safety
///
/// The `count` bytes at `to` are the caller's to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    for at in 0..count {
        unsafe { *to.add(at) = byte as u8 };
    }
    to
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(134)
}
