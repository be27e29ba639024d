//! The functions of an unwinder that Rust's standard library refers to, for a program in which nothing unwinds.
//!
//! The standard library's own panic message, which ours replaces, can have a backtrace, and so every program links what
//! reads DWARF, inflates it and demangles names: 200 KB. Where the optimiser sees that [`_Unwind_Backtrace`] never shows a
//! frame to its callback, all of that goes. The unwinder itself, 80 KB, stays as long as anything refers to it, and what
//! does is the personality routine, which the unwinder alone would call.
//!
//! So all that is referred to stands here. A linker takes a file out of a library only for a symbol that is missing
//! otherwise, so it takes nothing out of the unwinder's, and no symbol is there twice. If a later standard library needs
//! one more function of it, the linker reports duplicates, which is an error, and it belongs here as well.
//!
//! `unsafe` is needed to export a symbol. That is sound because these names belong to the unwinder, which is not linked,
//! and because each function keeps to its contract in the Itanium C++ ABI or does not return.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};

/// Says that there is no frame to show.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_callback: *const c_void, _argument: *mut c_void) -> c_int {
    // _URC_END_OF_STACK
    5
}

/// Functions that would be called while a panic unwinds: here it never does, see the condition in src/tiny.rs.
macro_rules! never_called {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) $(-> $result)? {
            std::process::abort()
        }
    )*};
}

never_called! {
    _Unwind_GetDataRelBase(*mut c_void) -> usize;
    _Unwind_GetLanguageSpecificData(*mut c_void) -> *mut c_void;
    _Unwind_GetRegionStart(*mut c_void) -> usize;
    _Unwind_GetTextRelBase(*mut c_void) -> usize;
    _Unwind_Resume(*mut c_void) -> !;
}

#[cfg(not(target_arch = "arm"))]
never_called! {
    _Unwind_GetIPInfo(*mut c_void, *mut c_int) -> usize;
    _Unwind_SetGR(*mut c_void, c_int, usize);
    _Unwind_SetIP(*mut c_void, usize);
}

// 32-bit ARM has an exception ABI of its own. Its tables name the last three, also those of musl.
#[cfg(target_arch = "arm")]
never_called! {
    _Unwind_VRS_Get(*mut c_void, c_int, u32, c_int, *mut c_void) -> c_int;
    _Unwind_VRS_Set(*mut c_void, c_int, u32, c_int, *mut c_void) -> c_int;
    __gnu_unwind_frame(*mut c_void, *mut c_void) -> c_int;
    __aeabi_unwind_cpp_pr0(c_int, *mut c_void, *mut c_void) -> c_int;
    __aeabi_unwind_cpp_pr1(c_int, *mut c_void, *mut c_void) -> c_int;
    __aeabi_unwind_cpp_pr2(c_int, *mut c_void, *mut c_void) -> c_int;
}
