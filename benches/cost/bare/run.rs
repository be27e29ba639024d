//! Runs another program and says what the kernel counted for it: the smallest process that can.
//!
//! A child begins in its parent's memory, and the kernel charges it for what it finds there: peak RSS is never less
//! than the parent's, and leaving a large address space costs CPU. So the benchmark does not start what it measures;
//! this does, with next to no memory of its own, and with vfork, which copies none of it.
//!
//! `run measure PROGRAM [ARGUMENT]...` prints the exit status, nanoseconds from vfork to the end, microseconds of CPU
//! and minor page faults. What PROGRAM prints goes to /dev/null.
//!
//! `run trace run become PROGRAM [ARGUMENT]...` counts system calls by ptrace, which a program has to ask for before it
//! begins: that is what `run become` is for. Whenever a process is about to exit, and so holds all the memory that it
//! ever will, this prints its number and the count so far, and lets it go on once there is something to read.
//!
//! All numbers are of 64 bits.

#![no_std]
#![no_main]
#![no_builtins] // Or the loop in memset would become a call of memset.

mod sys;

use sys::{call, exit, nr};

/// A string that ends in 0; and such strings up to one that is null.
type Text = *const u8;
type Texts = *const Text;

#[unsafe(no_mangle)]
unsafe extern "C" fn start(stack: *const usize) -> ! {
    let (count, arguments) = unsafe { (*stack, stack.add(1).cast::<Text>()) };
    if count < 3 {
        exit(2);
    }
    let (mode, program) = unsafe { (**arguments.add(1), arguments.add(2)) };
    let environment = unsafe { arguments.add(count + 1) };
    match mode {
        b'm' => measure(program, environment),
        b't' => trace(program, environment),
        _ => r#become(program, environment),
    }
}

/// Keeps standard output for this program alone, and leaves /dev/null to others.
fn redirect() -> usize {
    const F_DUPFD_CLOEXEC: usize = 1030;
    const AT_FDCWD: usize = -100_isize as usize;
    const O_WRONLY: usize = 1;
    let out = call(nr::FCNTL, [1, F_DUPFD_CLOEXEC, 3]) as usize;
    let null = call(
        nr::OPENAT,
        [AT_FDCWD, c"/dev/null".as_ptr() as usize, O_WRONLY, 0],
    ) as usize;
    call(nr::DUP3, [null, 1, 0]);
    call(nr::DUP3, [null, 2, 0]);
    out
}

fn measure(program: Texts, environment: Texts) -> ! {
    let out = redirect();
    let begun = now();
    let child = unsafe { sys::spawn(program, environment) };
    let mut status = 0u32;
    // struct rusage: user and system time as seconds and microseconds, then 14 counters, all of them of one word.
    let mut usage = [0u64; 18];
    call(
        nr::WAIT4,
        [
            child as usize,
            &raw mut status as usize,
            0,
            usage.as_mut_ptr() as usize,
        ],
    );
    let took = now() - begun;
    // The kernel splits CPU time into user and system time by what the clock's ticks happened to hit. The sum it knows
    // from the scheduler, to the nanosecond, and the two always add up to it.
    let [user, user_micros, system, system_micros, ..] = usage;
    let cpu = (user + system) * 1_000_000 + user_micros + system_micros;
    let minor_faults = usage[8];
    print(out, &[status.into(), took, cpu, minor_faults]);
    exit(0)
}

fn now() -> u64 {
    const CLOCK_MONOTONIC: usize = 1;
    let mut time = [0u64; 2];
    call(
        nr::CLOCK_GETTIME,
        [CLOCK_MONOTONIC, time.as_mut_ptr() as usize],
    );
    let [seconds, nanoseconds] = time;
    seconds * 1_000_000_000 + nanoseconds
}

fn r#become(program: Texts, environment: Texts) -> ! {
    const TRACEME: usize = 0;
    let path = unsafe { *program };
    call(nr::PTRACE, [TRACEME, 0, 0, 0]);
    call(
        nr::EXECVE,
        [path as usize, program as usize, environment as usize],
    );
    exit(127)
}

fn trace(program: Texts, environment: Texts) -> ! {
    const SYSCALL: usize = 24;
    const SETOPTIONS: usize = 0x4200;
    const GET_SYSCALL_INFO: usize = 0x420e;
    /// TRACESYSGOOD, so that stops at system calls differ from SIGTRAP; FORK, VFORK and CLONE; EXITKILL.
    const OPTIONS: usize = 1 | 2 | 4 | 8 | 0x10_0000;
    const ANY: usize = -1_isize as usize;
    const WALL: usize = 0x4000_0000;
    const AT_SYSCALL: usize = 0x80 | SIGTRAP;
    const SIGTRAP: usize = 5;
    const SIGSTOP: usize = 19;
    /// The first byte of struct ptrace_syscall_info when a call is entered; the fourth word is its number then.
    const ENTRY: u8 = 1;

    let out = redirect();
    let mut status = 0u32;
    let child = unsafe { sys::spawn(program, environment) } as usize;
    // The stop behind the execve that makes it PROGRAM, which is the first of PROGRAM's calls.
    call(nr::WAIT4, [child, &raw mut status as usize, WALL, 0]);
    call(nr::PTRACE, [SETOPTIONS, child, 0, OPTIONS]);
    call(nr::PTRACE, [SYSCALL, child, 0, 0]);
    let mut calls = 1;
    loop {
        let stopped = call(nr::WAIT4, [ANY, &raw mut status as usize, WALL, 0]);
        if stopped < 0 {
            exit(0);
        }
        let stopped = stopped as usize;
        if status & 0xff != 0x7f {
            continue; // Not stopped but gone.
        }
        let mut signal = (status >> 8 & 0xff) as usize;
        if signal == AT_SYSCALL {
            let mut info = [0u64; 11];
            let (size, place) = (size_of_val(&info), info.as_mut_ptr() as usize);
            call(nr::PTRACE, [GET_SYSCALL_INFO, stopped, size, place]);
            if info[0] as u8 == ENTRY {
                calls += 1;
                if info[3] == nr::EXIT_GROUP as u64 {
                    print(out, &[stopped as u64, calls]);
                    let mut go = 0u8;
                    call(nr::READ, [0, &raw mut go as usize, 1]);
                }
            }
        }
        // Stops that are the tracer's own are not signals to deliver: those above, and of new threads and processes.
        if matches!(signal, AT_SYSCALL | SIGTRAP | SIGSTOP) {
            signal = 0;
        }
        call(nr::PTRACE, [SYSCALL, stopped, 0, signal]);
    }
}

fn print(out: usize, numbers: &[u64]) {
    call(
        nr::WRITE,
        [out, numbers.as_ptr() as usize, size_of_val(numbers)],
    );
}
