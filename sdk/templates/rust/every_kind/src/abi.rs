//! The structs of Weir's interface, draft 4, as the C headers weir/{abi,tile,frame,module,build}.h lay them out. What each
//! member means is said there, and in REFERENCE.md. Members that this plugin leaves alone are of the type `Unused`.
#![allow(dead_code)]

use std::os::raw::{c_char, c_void};

pub const DRAFT: u32 = 4;
pub const MAGIC: u64 = 0x6962_612e_7269_6577;

pub type Status = i32;
pub const OK: Status = 0;
pub const DISCARD: Status = 1;
pub const INVALID: Status = 3;
pub const ERROR: Status = 4;

pub const F32: i32 = 32;
pub const F64: i32 = 64;

pub const LAYER: i32 = 1;
pub const UNIVARIATE: i32 = 2;
pub const NETWORK: i32 = 3;
pub const DENSITY: i32 = 4;
pub const INDEXED_OK: u32 = 1;

pub const INTEGER: i32 = 1;
pub const NUMBER: i32 = 2;

pub const INIT_CONSTANT: i32 = 1;
pub const INIT_UNIFORM: i32 = 2;
pub const INIT_VALUES: i32 = 4;
pub const NO_DECAY: u32 = 1;

pub const ACTIVATION_NONE: i32 = 0;
pub const LINEAR_NO_BIAS: u32 = 1;
pub const LINEAR_ADD: u32 = 1;

pub type Handle = i32;
pub type Unused = *const c_void;

#[repr(C)]
pub struct Fingerprint {
    pub struct_size: u32,
    pub draft: u32,
    pub pointer_size: u32,
    pub int64_align: u32,
    pub byte_order: u32,
    pub reserved: u32,
    pub fork: [u8; 16],
}

#[repr(C)]
pub struct Root {
    pub magic: u64,
    pub struct_size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub reserved: u32,
    pub fingerprint: *const Fingerprint,
    pub name: *const c_char,
    pub version: *const c_char,
    pub needs: *const c_char,
    pub module_count: extern "C" fn() -> i32,
    pub module: extern "C" fn(index: i32, precision: i32) -> *const Module,
    pub extension: Unused,
}

#[repr(C)]
pub struct Tile {
    pub struct_size: u32,
    pub features: i32,
    pub data: *mut c_void,
    pub stride: i64,
    pub lanes: *const i32,
    pub rows: i32,
    pub width: i32,
}

pub type MathCall = unsafe extern "C" fn(n: i64, x: *const c_void, y: *mut c_void);

#[repr(C)]
pub struct Math {
    pub struct_size: u32,
    pub precision: i32,
    pub exp: MathCall,
    pub expm1: MathCall,
    pub log: MathCall,
    pub log1p: MathCall,
    pub tanh: MathCall,
    pub sigmoid: MathCall,
    pub softplus: MathCall,
    pub sin: MathCall,
    pub cos: MathCall,
    pub erf: MathCall,
    pub gemm: Unused,
}

#[repr(C)]
pub struct Services {
    pub struct_size: u32,
    pub reserved: u32,
    pub tape_push: unsafe extern "C" fn(*mut Frame, bytes: i64) -> *mut c_void,
    pub tape_pop: unsafe extern "C" fn(*mut Frame, bytes: i64) -> *mut c_void,
    pub scratch_take: unsafe extern "C" fn(*mut Frame, bytes: i64) -> *mut c_void,
    pub scratch_mark: unsafe extern "C" fn(*mut Frame) -> i64,
    pub scratch_release: unsafe extern "C" fn(*mut Frame, mark: i64),
    pub random_uniform: unsafe extern "C" fn(*mut Frame, stream: u32, draw: u32, lane: *mut c_void),
    pub random_normal: unsafe extern "C" fn(*mut Frame, stream: u32, draw: u32, lane: *mut c_void),
    pub linear_forward: unsafe extern "C" fn(
        *mut Frame,
        linear: Handle,
        first: i32,
        count: i32,
        x: *const Tile,
        y: *const Tile,
        flags: u32,
    ) -> Status,
    pub linear_vjp_activation: Unused,
    pub linear_vjp_input: unsafe extern "C" fn(
        *mut Frame,
        linear: Handle,
        first: i32,
        count: i32,
        y_bar: *const Tile,
        x_bar: *const Tile,
        flags: u32,
    ) -> Status,
    pub linear_vjp_weights:
        unsafe extern "C" fn(*mut Frame, linear: Handle, x: *const Tile, y_bar: *const Tile) -> Status,
    pub fail: unsafe extern "C" fn(*mut Frame, text: *const c_char),
    pub log: unsafe extern "C" fn(*mut Frame, level: i32, text: *const c_char),
    pub extension: Unused,
}

#[repr(C)]
pub struct Frame {
    pub struct_size: u32,
    pub precision: i32,
    pub mode: i32,
    pub worker: i32,
    pub rows: i32,
    pub width: i32,
    pub stride: i64,
    pub services: *const Services,
    pub math: *const Math,
    pub tensors: *const *mut c_void,
    pub gradients: *const *mut c_void,
    pub tape: *mut c_void,
    pub scratch: *mut c_void,
    pub context: *const Tile,
    pub context_bar: *const Tile,
    pub row_ids: *const u64,
    pub seed: u64,
    pub step: u64,
    pub discard: *mut u64,
    pub report: *mut c_void,
    pub host: *mut c_void,
}

#[repr(C)]
pub struct Init {
    pub struct_size: u32,
    pub kind: i32,
    pub a: f64,
    pub b: f64,
    pub values: *const f64,
}

#[repr(C)]
pub struct LinearSpec {
    pub struct_size: u32,
    pub activation: i32,
    pub name: *const c_char,
    pub r#in: i32,
    pub out: i32,
    pub flags: u32,
    pub reserved: i32,
    pub extent: *const i32,
    pub weight: *const Init,
    pub bias: *const Init,
}

#[repr(C)]
pub struct NetworkSpec {
    pub struct_size: u32,
    pub r#in: i32,
    pub out: i32,
    pub autoregressive: i32,
    pub output_bias: *const f64,
}

#[repr(C)]
pub struct Builder {
    pub struct_size: u32,
    pub precision: i32,
    pub host: *mut c_void,
    pub features: i32,
    pub context: i32,
    pub channels: i32,
    pub height: i32,
    pub width: i32,
    pub network: *const NetworkSpec,
    pub stream: u32,
    pub reserved: u32,
    pub integer: unsafe extern "C" fn(*mut Builder, name: *const c_char) -> i64,
    pub number: unsafe extern "C" fn(*mut Builder, name: *const c_char) -> f64,
    pub boolean: unsafe extern "C" fn(*mut Builder, name: *const c_char) -> i32,
    pub string: unsafe extern "C" fn(*mut Builder, name: *const c_char) -> *const c_char,
    pub integers: unsafe extern "C" fn(*mut Builder, name: *const c_char, values: *mut i64, capacity: i32) -> i32,
    pub numbers: unsafe extern "C" fn(*mut Builder, name: *const c_char, values: *mut f64, capacity: i32) -> i32,
    pub given: unsafe extern "C" fn(*mut Builder, name: *const c_char) -> i32,
    pub parameter: unsafe extern "C" fn(
        *mut Builder,
        name: *const c_char,
        rank: i32,
        dims: *const i64,
        init: *const Init,
        flags: u32,
    ) -> Handle,
    pub derived: unsafe extern "C" fn(*mut Builder, name: *const c_char, rank: i32, dims: *const i64) -> Handle,
    pub buffer: unsafe extern "C" fn(
        *mut Builder,
        name: *const c_char,
        rank: i32,
        dims: *const i64,
        init: *const Init,
    ) -> Handle,
    pub integer_buffer: unsafe extern "C" fn(
        *mut Builder,
        name: *const c_char,
        rank: i32,
        dims: *const i64,
        values: *const i64,
    ) -> Handle,
    pub linear: unsafe extern "C" fn(*mut Builder, spec: *const LinearSpec) -> Handle,
    pub has_child: Unused,
    pub child_layer: Unused,
    pub child_univariate: Unused,
    pub child_network: Unused,
    pub child_density: Unused,
    pub input_domain: Unused,
    pub require: Unused,
    pub output: Unused,
    pub produce: Unused,
    pub params: unsafe extern "C" fn(*mut Builder, count: i32, identity: *const f64) -> Status,
    pub traits: unsafe extern "C" fn(*mut Builder, traits: u32),
    pub fail: unsafe extern "C" fn(*mut Builder, text: *const c_char),
    pub failed: unsafe extern "C" fn(*mut Builder) -> i32,
    pub extension: Unused,
    pub feed: Unused,
    pub seed: u64,
}

#[repr(C)]
pub struct ModuleOption {
    pub struct_size: u32,
    pub kind: i32,
    pub name: *const c_char,
    pub default_json: *const c_char,
    pub minimum: f64,
    pub maximum: f64,
    pub choices: *const c_char,
    pub summary: *const c_char,
}

#[repr(C)]
pub struct Module {
    pub struct_size: u32,
    pub kind: i32,
    pub precision: i32,
    pub flags: u32,
    pub concurrency: i32,
    pub reserved: i32,
    pub id: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub doc: *const c_char,
    pub options: *const ModuleOption,
    pub option_count: i32,
    pub option_stride: i32,
    pub slots: Unused,
    pub slot_count: i32,
    pub slot_stride: i32,
    pub create: unsafe extern "C" fn(*mut Builder, made: *mut *mut c_void) -> Status,
    pub destroy: unsafe extern "C" fn(module: *mut c_void),
    pub prepare: Option<PrepareCall>,
    pub prepare_vjp: Option<PrepareCall>,
    pub ops: *const c_void,
    pub extension: Unused,
}

pub type PrepareCall = unsafe extern "C" fn(module: *const c_void, *mut Frame) -> Status;

pub type UnivariateMap = unsafe extern "C" fn(
    module: *const c_void,
    *mut Frame,
    from: *const Tile,
    params: *const Tile,
    to: *const Tile,
    log_det: *mut c_void,
) -> Status;

pub type UnivariateVjp = unsafe extern "C" fn(
    module: *const c_void,
    *mut Frame,
    from: *const Tile,
    params: *const Tile,
    to: *const Tile,
    to_bar: *const Tile,
    log_det_bar: *const c_void,
    from_bar: *const Tile,
    params_bar: *const Tile,
) -> Status;

#[repr(C)]
pub struct UnivariateOps {
    pub struct_size: u32,
    pub reserved: u32,
    pub forward: UnivariateMap,
    pub inverse: Option<UnivariateMap>,
    pub forward_vjp: Option<UnivariateVjp>,
    pub inverse_vjp: Option<UnivariateVjp>,
}

pub type LayerMap = unsafe extern "C" fn(
    module: *const c_void,
    *mut Frame,
    from: *const Tile,
    to: *const Tile,
    log_det: *mut c_void,
) -> Status;

pub type LayerVjp = unsafe extern "C" fn(
    module: *const c_void,
    *mut Frame,
    from: *const Tile,
    to: *const Tile,
    to_bar: *const Tile,
    log_det_bar: *const c_void,
    from_bar: *const Tile,
) -> Status;

#[repr(C)]
pub struct LayerOps {
    pub struct_size: u32,
    pub reserved: u32,
    pub forward: LayerMap,
    pub inverse: Option<LayerMap>,
    pub forward_vjp: Option<LayerVjp>,
    pub inverse_vjp: Option<LayerVjp>,
    pub observe_size: Unused,
    pub observe: Unused,
    pub merge: Unused,
    pub observe_finish: Unused,
    pub observe_vjp: Unused,
    pub observe_vjp_finish: Unused,
    pub dual: Unused,
    pub dual_vjp: Unused,
    pub sample_points: Unused,
}

#[repr(C)]
pub struct NetworkOps {
    pub struct_size: u32,
    pub reserved: u32,
    pub forward: unsafe extern "C" fn(module: *const c_void, *mut Frame, x: *const Tile, y: *const Tile) -> Status,
    pub vjp: unsafe extern "C" fn(
        module: *const c_void,
        *mut Frame,
        x: *const Tile,
        y: *const Tile,
        y_bar: *const Tile,
        x_bar: *const Tile,
    ) -> Status,
    pub begin: Unused,
    pub step: Unused,
    pub begin_vjp: Unused,
    pub step_vjp: Unused,
    pub end_vjp: Unused,
    pub dual: Unused,
    pub dual_vjp: Unused,
}

#[repr(C)]
pub struct DensityOps {
    pub struct_size: u32,
    pub reserved: u32,
    pub log_density:
        unsafe extern "C" fn(module: *const c_void, *mut Frame, z: *const Tile, log_p: *mut c_void) -> Status,
    pub vjp: unsafe extern "C" fn(
        module: *const c_void,
        *mut Frame,
        z: *const Tile,
        log_p_bar: *const c_void,
        z_bar: *const Tile,
    ) -> Status,
    pub sample: Option<unsafe extern "C" fn(module: *const c_void, *mut Frame, z: *const Tile) -> Status>,
    pub sample_vjp: Option<
        unsafe extern "C" fn(module: *const c_void, *mut Frame, z: *const Tile, z_bar: *const Tile) -> Status,
    >,
}

// Tables are constant and their pointers lead to constants: any thread may read them.
unsafe impl Sync for Fingerprint {}
unsafe impl Sync for Root {}
unsafe impl Sync for Module {}
unsafe impl Sync for UnivariateOps {}
unsafe impl Sync for LayerOps {}
unsafe impl Sync for NetworkOps {}
unsafe impl Sync for DensityOps {}
unsafe impl Sync for ModuleOption {}

/// The length of a struct, as its first member wants it.
pub const fn size<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

/// A text for C, which must end in \0: said when the plugin is compiled, not when it runs.
pub const fn text(text: &'static str) -> *const c_char {
    assert!(text.as_bytes()[text.len() - 1] == 0, "a text for C ends in \\0");
    text.as_ptr() as *const c_char
}

pub static FINGERPRINT: Fingerprint = Fingerprint {
    struct_size: size::<Fingerprint>(),
    draft: DRAFT,
    pointer_size: std::mem::size_of::<*const c_void>() as u32,
    int64_align: std::mem::align_of::<i64>() as u32,
    byte_order: 0x0102_0304,
    reserved: 0,
    fork: *b"weir\0\0\0\0\0\0\0\0\0\0\0\0",
};
