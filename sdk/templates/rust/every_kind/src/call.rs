//! What a running call may use, as Rust likes it: lanes and tensors are slices, and a panic ends at the border.
#![allow(dead_code)]

use crate::abi::{size, Frame, Handle, MathCall, Status, Tile, DISCARD, ERROR, OK};
use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// f32 and f64: every call exists for both, from one source.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    const PRECISION: i32;
    const ZERO: Self;
    const ONE: Self;
    fn of(value: f64) -> Self;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn tanh(self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    fn is_finite(self) -> bool;
    fn is_nan(self) -> bool;
}

macro_rules! real {
    ($type:ident, $precision:expr) => {
        impl Real for $type {
            const PRECISION: i32 = $precision;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            fn of(value: f64) -> Self {
                value as $type
            }
            fn exp(self) -> Self {
                self.exp()
            }
            fn ln(self) -> Self {
                self.ln()
            }
            fn tanh(self) -> Self {
                self.tanh()
            }
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            fn abs(self) -> Self {
                self.abs()
            }
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            fn is_nan(self) -> bool {
                self.is_nan()
            }
        }
    };
}
real!(f32, crate::abi::F32);
real!(f64, crate::abi::F64);

/// Runs one call of the interface; None stands for memory that is exhausted. Nothing may unwind into the host: a panic
/// becomes the status ERROR, and its text the reason. What cannot be caught ends the process, as it would anywhere: a panic
/// while another one unwinds, a stack that overflows, std::process::abort, memory that is exhausted.
pub fn guard(call: impl FnOnce() -> Option<Status>, tell: impl FnOnce(&str)) -> Status {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(status) => status.unwrap_or(ERROR),
        Err(payload) => {
            let known = payload.downcast_ref::<String>().map(|s| s.as_str());
            let said = known.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("panic");
            let text: String = said.chars().filter(|c| *c != '\0').chain(['\0']).collect();
            tell(&text);
            std::mem::forget(payload); // what it holds might panic when it is dropped
            ERROR
        }
    }
}

/// A call of the host that failed ends the call it is in.
fn done(status: Status) -> Option<Status> {
    (status == OK || status == DISCARD).then(|| status)
}

/// A call in progress, in the precision R. The slices it gives live as long as the call. Nothing keeps you from asking for
/// the same lane or tensor twice: do not write through one while you hold the other.
pub struct Call<'a, R> {
    frame: *mut Frame,
    lifetime: PhantomData<&'a mut R>,
}

impl<'a, R: Real> Call<'a, R> {
    /// # Safety
    /// `frame` is what the host passed, and the call is not over.
    pub unsafe fn new(frame: *mut Frame) -> Self {
        Call { frame, lifetime: PhantomData }
    }

    fn get(&self) -> &'a Frame {
        unsafe { &*self.frame }
    }

    /// Rows that count; those up to the width repeat one of them and are computed on like any.
    pub fn rows(&self) -> usize {
        self.get().rows as usize
    }

    pub fn width(&self) -> usize {
        self.get().width as usize
    }

    /// Tensor h, which has `count` elements.
    pub fn tensor(&self, h: Handle, count: usize) -> &'a [R] {
        unsafe { std::slice::from_raw_parts(*self.get().tensors.offset(h as isize) as *const R, count) }
    }

    /// The same, to be written: derived tensors, in prepare only.
    pub fn tensor_mut(&self, h: Handle, count: usize) -> &'a mut [R] {
        unsafe { std::slice::from_raw_parts_mut(*self.get().tensors.offset(h as isize) as *mut R, count) }
    }

    /// Where to add the gradient of tensor h, if anybody wants it.
    pub fn gradient(&self, h: Handle, count: usize) -> Option<&'a mut [R]> {
        let all = self.get().gradients;
        if all.is_null() {
            return None;
        }
        let one = unsafe { *all.offset(h as isize) } as *mut R;
        (!one.is_null()).then(|| unsafe { std::slice::from_raw_parts_mut(one, count) })
    }

    /// A lane that the host passed, such as log_det; None when it was left out.
    pub fn lane(&self, data: *const c_void) -> Option<&'a [R]> {
        (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data as *const R, self.width()) })
    }

    pub fn lane_mut(&self, data: *mut c_void) -> Option<&'a mut [R]> {
        (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts_mut(data as *mut R, self.width()) })
    }

    fn bytes(&self, features: usize) -> i64 {
        features as i64 * self.get().stride * std::mem::size_of::<R>() as i64
    }

    fn tile_over(&self, data: *mut c_void, features: usize) -> Option<Lanes<'a, R>> {
        let frame = self.get();
        let (stride, width) = (frame.stride, frame.width);
        (!data.is_null()).then(|| Lanes {
            data: data as *mut R,
            stride,
            index: std::ptr::null(),
            features,
            width: width as usize,
            lifetime: PhantomData,
        })
    }

    /// Lanes in scratch, not initialised; None when memory is exhausted.
    pub fn take(&self, features: usize) -> Option<Lanes<'a, R>> {
        let data = unsafe { ((*self.get().services).scratch_take)(self.frame, self.bytes(features)) };
        self.tile_over(data, features)
    }

    /// Lanes on the tape when there is one, else in scratch.
    pub fn keep(&self, features: usize) -> Option<Lanes<'a, R>> {
        if self.get().tape.is_null() {
            return self.take(features);
        }
        let data = unsafe { ((*self.get().services).tape_push)(self.frame, self.bytes(features)) };
        self.tile_over(data, features)
    }

    /// What keep put on the tape.
    pub fn pop(&self, features: usize) -> Option<Lanes<'a, R>> {
        let data = unsafe { ((*self.get().services).tape_pop)(self.frame, self.bytes(features)) };
        self.tile_over(data, features)
    }

    /// The conditioning features; None when the model has none.
    pub fn context(&self) -> Option<Lanes<'a, R>> {
        unsafe { Lanes::new(self.get().context) }
    }

    /// Where to add their cotangent, if anybody wants it.
    pub fn context_bar(&self) -> Option<Lanes<'a, R>> {
        unsafe { Lanes::new(self.get().context_bar) }
    }

    fn map(&self, function: MathCall, from: &[R], to: &mut [R]) {
        assert!(from.len() == to.len());
        unsafe { function(from.len() as i64, from.as_ptr() as *const c_void, to.as_mut_ptr() as *mut c_void) }
    }

    fn map_in_place(&self, function: MathCall, lane: &mut [R]) {
        let data = lane.as_mut_ptr() as *mut c_void;
        unsafe { function(lane.len() as i64, data, data) }
    }

    /// The host's functions, which work on many numbers at once.
    pub fn tanh(&self, from: &[R], to: &mut [R]) {
        self.map(unsafe { (*self.get().math).tanh }, from, to)
    }

    pub fn softplus(&self, from: &[R], to: &mut [R]) {
        self.map(unsafe { (*self.get().math).softplus }, from, to)
    }

    pub fn tanh_in_place(&self, lane: &mut [R]) {
        self.map_in_place(unsafe { (*self.get().math).tanh }, lane)
    }

    pub fn sigmoid_in_place(&self, lane: &mut [R]) {
        self.map_in_place(unsafe { (*self.get().math).sigmoid }, lane)
    }

    pub fn exp_in_place(&self, lane: &mut [R]) {
        self.map_in_place(unsafe { (*self.get().math).exp }, lane)
    }

    pub fn log_in_place(&self, lane: &mut [R]) {
        self.map_in_place(unsafe { (*self.get().math).log }, lane)
    }

    /// Numbers on (0, 1): the same for the same row, stream and draw, whatever the tiling or the number of threads.
    pub fn random_uniform(&self, stream: u32, draw: usize, lane: &mut [R]) {
        let data = lane.as_mut_ptr() as *mut c_void;
        unsafe { ((*self.get().services).random_uniform)(self.frame, stream, draw as u32, data) }
    }

    fn tile_of(&self, lanes: &Lanes<R>) -> Tile {
        Tile {
            struct_size: size::<Tile>(),
            features: lanes.features as i32,
            data: lanes.data as *mut c_void,
            stride: lanes.stride,
            lanes: lanes.index,
            rows: self.get().rows,
            width: self.get().width,
        }
    }

    /// y = W x + b of a linear object; with the flag LINEAR_ADD y holds an addend. None: the host has noted why not.
    pub fn linear(&self, linear: Handle, x: &Lanes<R>, y: &Lanes<R>, flags: u32) -> Option<Status> {
        let (x, y) = (self.tile_of(x), self.tile_of(y));
        done(unsafe { ((*self.get().services).linear_forward)(self.frame, linear, 0, -1, &x, &y, flags) })
    }

    /// x_bar = W^T y_bar, or added to with LINEAR_ADD.
    pub fn linear_vjp_input(&self, linear: Handle, y_bar: &Lanes<R>, x_bar: &Lanes<R>, flags: u32) -> Option<Status> {
        let (y_bar, x_bar) = (self.tile_of(y_bar), self.tile_of(x_bar));
        done(unsafe { ((*self.get().services).linear_vjp_input)(self.frame, linear, 0, -1, &y_bar, &x_bar, flags) })
    }

    /// Adds to the gradients of W and b.
    pub fn linear_vjp_weights(&self, linear: Handle, x: &Lanes<R>, y_bar: &Lanes<R>) -> Option<Status> {
        let (x, y_bar) = (self.tile_of(x), self.tile_of(y_bar));
        done(unsafe { ((*self.get().services).linear_vjp_weights)(self.frame, linear, &x, &y_bar) })
    }

    /// The sum over the rows that count: what the gradient of a parameter is made of.
    pub fn sum(&self, lane: &[R]) -> R {
        lane[..self.rows()].iter().fold(R::ZERO, |sum, v| sum + *v)
    }

    fn discard_where(&self, lane: &[R], bad: impl Fn(R) -> bool) -> Status {
        let mut status = OK;
        for (row, value) in lane.iter().enumerate().take(self.rows()) {
            if bad(*value) {
                unsafe { *self.get().discard.add(row / 64) |= 1 << (row % 64) };
                status = DISCARD;
            }
        }
        status
    }

    /// Marks the rows where a lane is NaN or infinite.
    pub fn discard_unless_finite(&self, lane: &[R]) -> Status {
        self.discard_where(lane, |value| !value.is_finite())
    }

    /// Marks the rows where a lane is NaN: a density may be 0, and its logarithm -infinity.
    pub fn discard_nan(&self, lane: &[R]) -> Status {
        self.discard_where(lane, |value| value.is_nan())
    }

    /// Notes why the call is about to fail. The text ends in \0.
    pub fn fail(&self, text: &str) {
        unsafe { ((*self.get().services).fail)(self.frame, text.as_ptr() as *const _) }
    }
}

/// The lanes of a tile.
pub struct Lanes<'a, R> {
    data: *mut R,
    stride: i64,
    index: *const i32,
    pub features: usize,
    width: usize,
    lifetime: PhantomData<&'a mut R>,
}

impl<'a, R: Real> Lanes<'a, R> {
    /// The lanes of a tile that the host passed; None when it was left out.
    ///
    /// # Safety
    /// `tile` is NULL or what the host passed, and the call is not over.
    pub unsafe fn new(tile: *const Tile) -> Option<Self> {
        tile.as_ref().map(|t| Lanes {
            data: t.data as *mut R,
            stride: t.stride,
            index: t.lanes,
            features: t.features as usize,
            width: t.width as usize,
            lifetime: PhantomData,
        })
    }

    fn at(&self, feature: usize) -> *mut R {
        assert!(feature < self.features);
        let lane = if self.index.is_null() { feature as i32 } else { unsafe { *self.index.add(feature) } };
        unsafe { self.data.offset(lane as isize * self.stride as isize) }
    }

    pub fn lane(&self, feature: usize) -> &'a [R] {
        unsafe { std::slice::from_raw_parts(self.at(feature), self.width) }
    }

    /// The same, to be written: outputs, cotangents of inputs, scratch.
    pub fn lane_mut(&self, feature: usize) -> &'a mut [R] {
        unsafe { std::slice::from_raw_parts_mut(self.at(feature), self.width) }
    }
}
