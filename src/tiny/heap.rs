//! The allocator of the binary: it hands out memory and never takes it back.
//!
//! A check lives for milliseconds and allocates a few kilobytes, so that there is nothing to gain from freeing. With `--wait`
//! it is so much for each attempt: 7 KB a second, for HTTP; the body of HTTP that is searched, of up to 1 MiB, keeps its
//! memory for the next. Without freeing, the code of every destructor is left out as well: 28 KB. The first kilobytes come
//! from the program's own `.bss`, which costs no system call and one page fault a page.
//!
//! `unsafe` is needed because `GlobalAlloc` is an unsafe trait. `cargo +nightly miri test --lib heap` runs the tests below
//! under Miri, which sees accesses out of bounds, data races and pointers that were made up.
#![allow(unsafe_code)]

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

/// How much the system is asked for at a time, once the first kilobytes are used up.
const MORE: usize = 1024 * 1024;

/// Hands out `FIRST` bytes of its own, then what `system` has. What is written most comes first, beside what else is written
/// in `.data` and `.bss`: each page costs a fault.
#[repr(C)]
pub struct Heap<S, const FIRST: usize> {
    free: UnsafeCell<Area>,
    locked: AtomicBool,
    system: S,
    first: UnsafeCell<First<FIRST>>,
}

/// Accessed only by address.
#[repr(align(16))]
struct First<const SIZE: usize>([u8; SIZE]);

/// Where memory comes from.
///
/// # Safety
/// What `map` returns begins `length` bytes that are zero, that may be read and written for as long as the heap lives,
/// and that nobody else uses.
pub unsafe trait System {
    fn map(&self, length: usize) -> Option<NonNull<u8>>;
}

pub struct Kernel;

// SAFETY: a new private mapping, which nobody unmaps, is zero and overlaps nothing.
unsafe impl System for Kernel {
    fn map(&self, length: usize) -> Option<NonNull<u8>> {
        // SAFETY: the kernel chooses an address where nothing is.
        let mapped = unsafe {
            mmap_anonymous(
                null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        };
        NonNull::new(mapped.ok()?.cast())
    }
}

/// Bytes that nobody has been given yet, from `next` to the address `end`; none before the first allocation.
struct Area {
    next: *mut u8,
    end: usize,
}

impl Area {
    /// An aligned block that is handed out now, if it fits.
    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        // An alignment is a power of two; to divide by it would be the slowest instruction here.
        let mask = layout.align() - 1;
        let start = self.next.addr().checked_add(mask)? & !mask;
        let end = start.checked_add(layout.size())?;
        if end > self.end {
            return None;
        }
        let block = self.next.with_addr(start);
        self.next = self.next.with_addr(end);
        NonNull::new(block)
    }

    /// Makes a block longer where it is, if it is the last one and there is room: a body that is read in pieces is never
    /// copied.
    fn grow(&mut self, block: *mut u8, size: usize, more: usize) -> bool {
        let next = self.next.addr();
        let fits = block.addr() + size == next && self.end - next >= more;
        if fits {
            self.next = self.next.with_addr(next + more);
        }
        fits
    }
}

// SAFETY: `free` is accessed under the lock only, and `first` only through the blocks that `Area` hands out, each once.
unsafe impl<S: Sync, const FIRST: usize> Sync for Heap<S, FIRST> {}

impl<S: System, const FIRST: usize> Heap<S, FIRST> {
    pub const fn new(system: S) -> Self {
        Heap {
            first: UnsafeCell::new(First([0; FIRST])),
            free: UnsafeCell::new(Area {
                next: null_mut(),
                end: 0,
            }),
            locked: AtomicBool::new(false),
            system,
        }
    }

    /// Runs `work` on the free area. The program has one thread, so nobody ever waits here, but nothing would go wrong
    /// if it had more.
    fn locked<T>(&self, work: impl FnOnce(&mut Area) -> T) -> T {
        while self.locked.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: the lock makes this reference the only one. `work` is one of the closures below: none of them panics,
        // or allocates from this heap.
        let done = work(unsafe { &mut *self.free.get() });
        self.locked.store(false, Ordering::Release);
        done
    }

    fn take(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.locked(|area| {
            area.take(layout).or_else(|| {
                self.refill(area, layout);
                area.take(layout)
            })
        })
    }

    #[cold]
    fn refill(&self, area: &mut Area, layout: Layout) {
        if area.end == 0 {
            area.next = self.first.get().cast();
            area.end = area.next.addr() + FIRST;
            if (Area { ..*area }).take(layout).is_some() {
                return;
            }
        }
        // Whatever is left of the old area is given up. A `length` that saturates makes mmap fail.
        let length = layout.size().saturating_add(layout.align()).max(MORE);
        if let Some(start) = self.system.map(length) {
            *area = Area {
                next: start.as_ptr(),
                end: start.addr().get() + length,
            };
        }
    }

    fn take_or_exit(&self, layout: Layout) -> *mut u8 {
        self.take(layout)
            .unwrap_or_else(|| out_of_memory())
            .as_ptr()
    }
}

/// To return null, as the trait wants it, would end in an abort, and Docker defines only 0 and 1.
/// The standard library's `exit` would flush its own streams first, which nobody has written to: 1 KB of code.
#[cold]
fn out_of_memory() -> ! {
    unsafe extern "C" {
        // The same on every unix. It only takes a number.
        safe fn _exit(code: std::ffi::c_int) -> !;
    }
    let _ = rustix::io::write(
        rustix::stdio::stderr(),
        b"unhealthy: no memory is left to check anything\n",
    );
    _exit(1)
}

// SAFETY: `Area::take` returns blocks that are aligned, inside of one area that stays for as long as the heap, and
// disjoint, because `next` only grows within an area and areas are disjoint. Nothing is ever taken back, so nothing is
// handed out twice; and since a fresh area is zero, `alloc_zeroed` may return what `alloc` does. A failure does not return.
unsafe impl<S: System, const FIRST: usize> GlobalAlloc for Heap<S, FIRST> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take_or_exit(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.take_or_exit(layout)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(more) = size.checked_sub(layout.size()) else {
            return old;
        };
        if self.locked(|area| area.grow(old, layout.size(), more)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::System as Std;
    use std::slice::{from_raw_parts, from_raw_parts_mut};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicPtr;

    const FIRST: usize = 4096;

    /// A system that counts what it is asked for, that has only so much, and that takes everything back at the end, so
    /// that Miri finds whoever still uses it.
    struct Limited {
        left: Mutex<usize>,
        mapped: Mutex<Vec<(AtomicPtr<u8>, Layout)>>,
    }

    // SAFETY: the blocks are fresh, zero, disjoint, and freed only with the heap.
    unsafe impl System for Limited {
        fn map(&self, length: usize) -> Option<NonNull<u8>> {
            let mut left = self.left.lock().expect("one thread panicked");
            *left = left.checked_sub(length)?;
            let layout = Layout::from_size_align(length, 16).expect("a length");
            // SAFETY: no length is 0.
            let block = NonNull::new(unsafe { Std.alloc_zeroed(layout) })?;
            let mut mapped = self.mapped.lock().expect("one thread panicked");
            mapped.push((AtomicPtr::new(block.as_ptr()), layout));
            Some(block)
        }
    }

    impl Drop for Limited {
        fn drop(&mut self) {
            for (block, layout) in self.mapped.get_mut().expect("no panic") {
                // SAFETY: `map` has allocated it with this layout.
                unsafe { Std.dealloc(*block.get_mut(), *layout) };
            }
        }
    }

    fn heap() -> Heap<Limited, FIRST> {
        Heap::new(Limited {
            left: Mutex::new(8 * MORE),
            mapped: Mutex::default(),
        })
    }

    impl<const FIRST: usize> Heap<Limited, FIRST> {
        /// How much was asked of the system, each time.
        fn mapped(&self) -> Vec<usize> {
            let mapped = self.system.mapped.lock().expect("no panic");
            mapped.iter().map(|(_, layout)| layout.size()).collect()
        }

        /// A block, filled with `byte`.
        fn filled(&self, size: usize, byte: u8) -> *mut u8 {
            let block = self.take(layout(size, 1)).expect("there is room").as_ptr();
            fill(block, size, byte);
            block
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    fn fill(block: *mut u8, size: usize, byte: u8) {
        // SAFETY: the tests fill only what the heap has given them.
        unsafe { block.write_bytes(byte, size) };
    }

    #[track_caller]
    fn assert_holds(block: *mut u8, size: usize, byte: u8) {
        // SAFETY: the same, and the memory is initialised, because a heap's is zero at first.
        let bytes = unsafe { from_raw_parts(block, size) };
        assert!(bytes == vec![byte; size], "not all {byte}");
    }

    #[test]
    fn a_block_is_aligned_whatever_comes_before_it() {
        let heap = heap();
        for align in (0..14).map(|power| 1 << power) {
            heap.filled(1, 0xaa);
            let block = heap.take(layout(3, align)).expect("there is room");
            assert_eq!(block.addr().get() % align, 0, "{align}");
            assert_holds(block.as_ptr(), 3, 0);
            fill(block.as_ptr(), 3, 0xbb);
        }
    }

    #[test]
    fn the_first_area_is_used_to_its_last_byte_before_the_system_is_asked() {
        let heap = heap();
        let first = heap.filled(FIRST - 1, 1);
        let last = heap.filled(1, 2);
        assert_eq!(last.addr(), first.addr() + FIRST - 1);
        assert!(heap.mapped().is_empty());
        heap.filled(1, 3);
        heap.filled(MORE - 1, 4);
        assert_eq!(heap.mapped(), [MORE]);
        heap.filled(1, 5);
        assert_eq!(heap.mapped(), [MORE, MORE]);
        assert_holds(first, FIRST - 1, 1);
        assert_holds(last, 1, 2);
    }

    #[test]
    fn what_is_larger_than_an_area_gets_one_of_its_own() {
        let heap = heap();
        // Larger than the first area, before anything else; and larger than the next.
        heap.filled(FIRST + 1, 1);
        assert_eq!(heap.mapped(), [MORE]);
        let block = heap.take(layout(MORE, 64)).expect("there is room");
        assert_eq!(block.addr().get() % 64, 0);
        fill(block.as_ptr(), MORE, 2);
        assert_eq!(heap.mapped(), [MORE, MORE + 64]);
    }

    #[test]
    fn the_last_block_grows_where_it_is_as_far_as_there_is_room() {
        let heap = heap();
        let block = heap.filled(10, 7);
        // SAFETY: the block is the heap's and has this layout, here and below.
        let grown = unsafe { heap.realloc(block, layout(10, 1), FIRST) };
        assert_eq!(grown, block);
        assert_holds(grown, 10, 7);
        // What was added is fresh, and belongs to the block.
        fill(grown, FIRST, 8);
        assert!(heap.mapped().is_empty());
        let moved = unsafe { heap.realloc(grown, layout(FIRST, 1), FIRST + 1) };
        assert_ne!(moved, grown);
        assert_holds(moved, FIRST, 8);
        assert_eq!(heap.mapped(), [MORE]);
    }

    #[test]
    fn another_block_is_copied_and_keeps_its_alignment() {
        let heap = heap();
        heap.filled(1, 1);
        let block = heap.take(layout(10, 32)).expect("there is room").as_ptr();
        fill(block, 10, 7);
        let behind = heap.filled(3, 9);
        // SAFETY: the block is the heap's and has this layout.
        let moved = unsafe { heap.realloc(block, layout(10, 32), 100) };
        assert_eq!(moved.addr() % 32, 0);
        assert!(moved.addr() >= behind.addr() + 3);
        assert_holds(moved, 10, 7);
        fill(moved, 100, 8);
        assert_holds(behind, 3, 9);
    }

    #[test]
    fn a_block_shrinks_where_it_is_and_what_it_leaves_is_not_handed_out() {
        let heap = heap();
        let block = heap.filled(10, 7);
        // SAFETY: the block is the heap's and has this layout, here and below.
        let shrunk = unsafe { heap.realloc(block, layout(10, 1), 4) };
        assert_eq!(shrunk, block);
        // It is not the last block any more, because six bytes of its old length are behind it.
        let grown = unsafe { heap.realloc(shrunk, layout(4, 1), 6) };
        assert_ne!(grown, block);
        assert_holds(grown, 4, 7);
    }

    #[test]
    fn zeroed_memory_is_zero_after_others_were_used_and_freed() {
        let heap = heap();
        for size in [1, 100, FIRST, MORE] {
            let block = heap.filled(size, 0xff);
            // SAFETY: the block is the heap's and has this layout.
            unsafe { heap.dealloc(block, layout(size, 1)) };
            // SAFETY: no size is 0.
            let zeroed = unsafe { heap.alloc_zeroed(layout(size, 1)) };
            assert_holds(zeroed, size, 0);
            fill(zeroed, size, 0xff);
        }
    }

    #[test]
    fn what_nobody_has_is_refused_and_the_rest_stays_usable() {
        let heap = heap();
        let largest = isize::MAX as usize;
        for (size, align) in [
            (largest, 1),
            (largest - 4095, 4096),
            (1, 1 << (usize::BITS - 2)),
            (8 * MORE, 1),
        ] {
            assert_eq!(heap.take(layout(size, align)), None, "{size}, {align}");
        }
        assert!(heap.mapped().is_empty());
        // The first area, of which nothing was handed out, is still there.
        heap.filled(FIRST, 1);
        assert!(heap.mapped().is_empty());
        for _ in 0..8 {
            heap.filled(MORE - 1, 2);
        }
        assert_eq!(heap.take(layout(2, 1)), None);
        heap.filled(1, 3);
    }

    /// Many steps, as a program would take them, and no block ever changes unless its owner writes to it.
    #[test]
    fn blocks_are_disjoint() {
        let heap = heap();
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let mut random = 1_usize;
        // Miri takes its time.
        for step in 0..if cfg!(miri) { 80 } else { 500 } {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            let (what, size, align) = (random >> 8, (random >> 12) % 200 + 1, 1 << (random % 6));
            let byte = step as u8 | 1;
            if what.is_multiple_of(3) && !blocks.is_empty() {
                let at = if what.is_multiple_of(2) {
                    blocks.len() - 1
                } else {
                    size % blocks.len()
                };
                let (old, of, held) = blocks.remove(at);
                // SAFETY: the block is the heap's and has this layout.
                let new = unsafe { heap.realloc(old, of, size) };
                assert_holds(new, size.min(of.size()), held);
                fill(new, size, byte);
                blocks.push((new, layout(size, of.align()), byte));
            } else {
                let layout = layout(size, align);
                let block = heap.take(layout).expect("there is room").as_ptr();
                assert_holds(block, size, 0);
                fill(block, size, byte);
                blocks.push((block, layout, byte));
            }
            for &(block, layout, byte) in &blocks {
                assert_eq!(block.addr() % layout.align(), 0);
                assert_holds(block, layout.size(), byte);
            }
        }
        assert_eq!(heap.mapped(), [MORE], "both kinds of area were used");
    }

    #[test]
    fn threads_get_different_blocks() {
        let heap = &heap();
        std::thread::scope(|scope| {
            for byte in 1..=3 {
                scope.spawn(move || {
                    let mine: Vec<_> = (0..20).map(|_| heap.filled(100, byte)).collect();
                    mine.into_iter()
                        .for_each(|block| assert_holds(block, 100, byte));
                });
            }
        });
    }

    #[test]
    fn the_kernel_maps_memory_that_is_zero_and_refuses_what_it_has_not() {
        let block = Kernel.map(MORE).expect("a megabyte");
        // SAFETY: this is what `System` promises.
        let bytes = unsafe { from_raw_parts_mut(block.as_ptr(), MORE) };
        assert!(bytes == vec![0; MORE]);
        bytes.fill(1);
        assert_eq!(Kernel.map(usize::MAX), None);
    }
}
