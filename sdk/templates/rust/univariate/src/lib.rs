//! @ID@ - the line with one slope on the left and another on the right, joined smoothly: a bend.
//!
//! y = x + t sqrt(1 + x^2) + b with t = 0.9 tanh(s); log|dy/dx| = log(1 + t x / sqrt(1 + x^2)).
//! Inverse, with u = y - b: x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2).
//!
//! Your formula is here. abi.rs holds the structs of the interface, call.rs what a call may use, module.rs what create
//! may, and univariate.rs makes the interface's calls of a formula.

mod abi;
mod call;
mod module;
mod univariate;

use abi::{size, text, Module, Root, UnivariateOps, F32, F64};
use call::Real;
use module::Texts;
use univariate::{ops, univariate, Point, Univariate};

struct Bend;

impl Univariate<2> for Bend {
    const TEXTS: Texts = Texts {
        id: "@ID@\0",
        version: "1.0.0\0",
        summary: "two slopes, joined smoothly\0",
        doc: "\
y = x + t sqrt(1 + x^2) + b with t = 0.9 tanh(s): the slope is 1 - t far to the left and 1 + t far to the right.
Parameters per element: s, b; 0, 0 is the identity. log|dy/dx| = log(1 + t x / sqrt(1 + x^2)).
Inverse, with u = y - b: x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2).
Rows whose answer overflows are discarded.\0",
    };
    const IDENTITY: [f64; 2] = [0.0, 0.0];

    fn at<R: Real>(x: R, p: &[R; 2]) -> Point<R, 2> {
        let bounded = p[0].tanh();
        let t = R::of(0.9) * bounded;
        let t_by_s = R::of(0.9) * (R::ONE - bounded * bounded);
        let root = (R::ONE + x * x).sqrt();
        let lean = x / root;
        Point {
            y: x + t * root + p[1],
            slope: R::ONE + t * lean,
            curve: t / (root * root * root),
            y_by: [root * t_by_s, R::ONE],
            slope_by: [lean * t_by_s, R::ZERO],
        }
    }

    fn solve<R: Real>(y: R, p: &[R; 2]) -> R {
        let t = R::of(0.9) * p[0].tanh();
        let (c, u) = (R::ONE - t * t, y - p[1]);
        (u - t * (u * u + c).sqrt()) / c
    }
}

// ---- what the plugin offers: both precisions, registered by hand ----------------------------------------------------

static OPS_F32: UnivariateOps = ops::<f32, Bend, 2>();
static OPS_F64: UnivariateOps = ops::<f64, Bend, 2>();
static BEND_F32: Module = univariate::<f32, Bend, 2>(&OPS_F32);
static BEND_F64: Module = univariate::<f64, Bend, 2>(&OPS_F64);

extern "C" fn module_count() -> i32 {
    1
}

extern "C" fn module_at(index: i32, precision: i32) -> *const Module {
    match (index, precision) {
        (0, F32) => &BEND_F32,
        (0, F64) => &BEND_F64,
        _ => std::ptr::null(),
    }
}

static ROOT: Root = Root {
    magic: abi::MAGIC,
    struct_size: size::<Root>(),
    abi_major: 1,
    abi_minor: 0,
    reserved: 0,
    fingerprint: &abi::FINGERPRINT,
    name: text("@NAME@\0"),
    version: text("1.0.0\0"),
    needs: text("libgcc_s.so.1 ld-linux-x86-64.so.2\0"), // of Rust's standard library; `readelf -d` lists them
    module_count,
    module: module_at,
    extension: std::ptr::null(),
};

/// The one symbol that the host looks for.
#[no_mangle]
pub extern "C" fn weir_plugin() -> *const Root {
    &ROOT
}
