//! The allocator of the binary: it hands out memory and never takes it back.
//!
//! A check lives for milliseconds and allocates a few kilobytes, or a few megabytes when it searches a body of 1 MiB, so
//! that there is nothing to gain from freeing. Without it the code of every destructor goes as well, and the first
//! kilobytes come from the program's own `.bss`, which costs no system call and one page fault a page.
//!
//! One of the two users of `unsafe`: `GlobalAlloc` is an unsafe trait.
#![allow(unsafe_code)]

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// What an ordinary check takes, with room to spare: untouched pages cost nothing.
const FIRST: usize = 128 * 1024;
/// What is asked of the system at a time when that is used up.
const MORE: usize = 1024 * 1024;

#[global_allocator]
static HEAP: Heap = Heap {
    first: UnsafeCell::new(First([0; FIRST])),
    free: UnsafeCell::new(Area { next: 0, end: 0 }),
    locked: AtomicBool::new(false),
};

struct Heap {
    first: UnsafeCell<First>,
    free: UnsafeCell<Area>,
    locked: AtomicBool,
}

/// Accessed only by address.
#[repr(align(16))]
struct First(#[expect(dead_code)] [u8; FIRST]);

/// Addresses that nobody has been given yet; both are 0 before the first allocation.
struct Area {
    next: usize,
    end: usize,
}

// SAFETY: `free` is accessed under the lock only, and `first` only through the addresses that `Area` hands out, each once.
unsafe impl Sync for Heap {}

impl Heap {
    /// Runs `work` on the free area. The program has one thread, so nobody ever waits here, but nothing would go wrong
    /// if it had more.
    fn locked<T>(&self, work: impl FnOnce(&mut Area) -> T) -> T {
        while self.locked.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: the lock makes this reference the only one. `work` is one of the closures below: none of them panics
        // or allocates.
        let done = work(unsafe { &mut *self.free.get() });
        self.locked.store(false, Ordering::Release);
        done
    }

    fn take(&self, layout: Layout) -> usize {
        let taken = self.locked(|area| {
            area.take(layout).or_else(|| {
                self.refill(area, layout);
                area.take(layout)
            })
        });
        taken.unwrap_or_else(|| out_of_memory())
    }

    #[cold]
    fn refill(&self, area: &mut Area, layout: Layout) {
        if area.end == 0 {
            area.next = self.first.get() as usize;
            area.end = area.next + FIRST;
            if (Area { ..*area }).take(layout).is_some() {
                return;
            }
        }
        // Whatever is left of the old area is given up. Too much to ask for is an error of the system's, not of ours.
        let length = layout.size().saturating_add(layout.align()).max(MORE);
        // SAFETY: a new private mapping, where the kernel likes it, overlaps nothing.
        let mapped = unsafe {
            mmap_anonymous(
                null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        };
        if let Ok(start) = mapped {
            *area = Area {
                next: start as usize,
                end: start as usize + length,
            };
        }
    }
}

/// To return null, as the trait wants it, would end in an abort, and Docker knows 0 and 1.
#[cold]
#[expect(
    clippy::exit,
    reason = "nothing that could return has memory left to do so"
)]
fn out_of_memory() -> ! {
    let _ = rustix::io::write(
        rustix::stdio::stderr(),
        b"unhealthy: no memory is left to check anything\n",
    );
    std::process::exit(crate::UNHEALTHY.into());
}

impl Area {
    /// An aligned range that is handed out now, if it fits.
    fn take(&mut self, layout: Layout) -> Option<usize> {
        // An alignment is a power of two; to divide by it would be the slowest instruction here.
        let mask = layout.align() - 1;
        let start = self.next.checked_add(mask)? & !mask;
        let end = start.checked_add(layout.size())?;
        if end > self.end {
            return None;
        }
        self.next = end;
        Some(start)
    }
}

// SAFETY: `Area::take` returns ranges that are aligned, inside of one area that is mapped for ever, and disjoint, because
// `next` only grows within an area and areas are disjoint. Nothing is ever taken back, so nothing is handed out twice;
// and since fresh pages of `.bss` and of an anonymous mapping are zero, `alloc_zeroed` may return what `alloc` does. A
// failure does not return.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout) as *mut u8
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.take(layout) as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(more) = size.checked_sub(layout.size()) else {
            return old;
        };
        // The last block grows where it is: a body that is read in pieces is never copied.
        let grown = self.locked(|area| {
            let is_last = old as usize + layout.size() == area.next;
            let fits = is_last && area.end - area.next >= more;
            if fits {
                area.next += more;
            }
            fits
        });
        if grown {
            return old;
        }
        // SAFETY: the caller vouches for `size` with this alignment; the new block is disjoint from the old one and
        // longer than what is copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            std::ptr::copy_nonoverlapping(old, new, layout.size());
            new
        }
    }
}
