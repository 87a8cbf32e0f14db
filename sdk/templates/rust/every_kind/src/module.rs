//! What is the same for every kind of module: what it may ask and declare while it is created, and its descriptor.
#![allow(dead_code)]

use crate::abi::{
    size, text, Builder, Handle, Init, LinearSpec, Module, ModuleOption, NetworkSpec, PrepareCall, Status,
    ACTIVATION_NONE, INDEXED_OK, INIT_CONSTANT, INIT_UNIFORM, INIT_VALUES, INVALID, LINEAR_NO_BIAS, OK,
};
use crate::call::{guard, Real};
use std::ffi::CString;
use std::os::raw::c_void;
use std::ptr::null;

/// Where a tensor starts: at one value, uniform on (-bound, bound), or at a list.
pub enum Start<'a> {
    At(f64),
    Within(f64),
    Values(&'a [f64]),
}

impl Start<'_> {
    fn init(&self) -> Init {
        let (kind, a, b, values) = match self {
            Start::At(value) => (INIT_CONSTANT, *value, 0.0, null()),
            Start::Within(bound) => (INIT_UNIFORM, -*bound, *bound, null()),
            Start::Values(list) => (INIT_VALUES, 0.0, 0.0, list.as_ptr()),
        };
        Init { struct_size: size::<Init>(), kind, a, b, values }
    }
}

/// What the host gives to create. A call that it cannot serve it remembers: `make` then ends in a refusal by itself.
pub struct Build {
    builder: *mut Builder,
}

fn name_for_c(name: &str) -> Result<CString, String> {
    CString::new(name).map_err(|e| e.to_string())
}

impl Build {
    fn get(&self) -> &Builder {
        unsafe { &*self.builder }
    }

    pub fn features(&self) -> usize {
        self.get().features as usize
    }

    /// Conditioning features of the model; 0 when it has none.
    pub fn context(&self) -> usize {
        self.get().context as usize
    }

    /// The key of this module's random numbers.
    pub fn stream(&self) -> u32 {
        self.get().stream
    }

    /// What the parent of a network asks for; None for modules of other kinds.
    pub fn network(&self) -> Option<&NetworkSpec> {
        unsafe { self.get().network.as_ref() }
    }

    /// Where the outputs of a network are to start.
    pub fn output_start(&self) -> Start<'_> {
        match self.network() {
            Some(spec) if !spec.output_bias.is_null() => {
                Start::Values(unsafe { std::slice::from_raw_parts(spec.output_bias, spec.out as usize) })
            }
            _ => Start::At(0.0),
        }
    }

    /// The value of an option that the table of the module has.
    pub fn integer(&mut self, name: &str) -> Result<i64, String> {
        let name = name_for_c(name)?;
        Ok(unsafe { (self.get().integer)(self.builder, name.as_ptr()) })
    }

    pub fn number(&mut self, name: &str) -> Result<f64, String> {
        let name = name_for_c(name)?;
        Ok(unsafe { (self.get().number)(self.builder, name.as_ptr()) })
    }

    /// A trained tensor [count] that starts at `start`.
    pub fn parameter(&mut self, name: &str, count: usize, start: f64, flags: u32) -> Result<Handle, String> {
        let (name, init, dims) = (name_for_c(name)?, Start::At(start).init(), [count as i64]);
        Ok(unsafe { (self.get().parameter)(self.builder, name.as_ptr(), 1, dims.as_ptr(), &init, flags) })
    }

    /// A tensor [count] that prepare computes.
    pub fn derived(&mut self, name: &str, count: usize) -> Result<Handle, String> {
        let (name, dims) = (name_for_c(name)?, [count as i64]);
        Ok(unsafe { (self.get().derived)(self.builder, name.as_ptr(), 1, dims.as_ptr()) })
    }

    /// A linear object of the host: the parameters NAME.weight [out, in] and, unless its start is None, NAME.bias [out].
    pub fn linear(
        &self,
        name: &str,
        inputs: usize,
        outputs: usize,
        weight: Start,
        bias: Option<Start>,
    ) -> Result<Handle, String> {
        let (name, weight, bias) = (name_for_c(name)?, weight.init(), bias.map(|start| start.init()));
        let spec = LinearSpec {
            struct_size: size::<LinearSpec>(),
            activation: ACTIVATION_NONE,
            name: name.as_ptr(),
            r#in: inputs as i32,
            out: outputs as i32,
            flags: if bias.is_none() { LINEAR_NO_BIAS } else { 0 },
            reserved: 0,
            extent: null(),
            weight: &weight,
            bias: bias.as_ref().map_or(null(), |init| init as *const Init),
        };
        Ok(unsafe { (self.get().linear)(self.builder, &spec) })
    }

    /// Univariate: the parameters of an element that make it the identity, or nearly so.
    pub fn params(&mut self, identity: &[f64]) {
        unsafe { (self.get().params)(self.builder, identity.len() as i32, identity.as_ptr()) };
    }
}

unsafe fn refuse(build: *mut Builder, text: &str) {
    let clean: Vec<u8> = text.bytes().filter(|b| *b != 0).chain([0]).collect();
    ((*build).fail)(build, clean.as_ptr() as *const _);
}

/// The call `create` of a module whose instance is a T. An Err is what the user reads.
///
/// # Safety
/// The pointers are what the host passed, and the call is not over.
pub unsafe fn create<T>(
    build: *mut Builder,
    made: *mut *mut c_void,
    make: impl FnOnce(&mut Build) -> Result<T, String>,
) -> Status {
    let run = || match make(&mut Build { builder: build }) {
        Ok(_) if ((*build).failed)(build) != 0 => Some(INVALID),
        Ok(instance) => {
            *made = Box::into_raw(Box::new(instance)) as *mut c_void;
            Some(OK)
        }
        Err(why) => {
            refuse(build, &why);
            Some(INVALID)
        }
    };
    match guard(run, |text| refuse(build, text)) {
        OK => OK,
        _ => INVALID,
    }
}

pub unsafe extern "C" fn destroy<T>(module: *mut c_void) {
    let run = || {
        drop(Box::from_raw(module as *mut T));
        Some(OK)
    };
    guard(run, |_| ());
}

/// What a user reads of a module. The texts end in \0.
pub struct Texts {
    pub id: &'static str,
    pub version: &'static str,
    pub summary: &'static str,
    pub doc: &'static str,
}

pub type CreateCall = unsafe extern "C" fn(*mut Builder, *mut *mut c_void) -> Status;

/// The descriptor of a module in the precision R, whose instances are of the type T, and whose `ops` are of its kind and
/// were made for the same precision.
pub const fn descriptor<R: Real, T>(
    kind: i32,
    texts: &Texts,
    options: &'static [ModuleOption],
    create: CreateCall,
    prepare: Option<(PrepareCall, PrepareCall)>,
    ops: *const c_void,
) -> Module {
    let (prepare, prepare_vjp) = match prepare {
        Some((forth, back)) => (Some(forth), Some(back)),
        None => (None, None),
    };
    Module {
        struct_size: size::<Module>(),
        kind,
        precision: R::PRECISION,
        flags: INDEXED_OK,
        concurrency: 0,
        reserved: 0,
        id: text(texts.id),
        version: text(texts.version),
        summary: text(texts.summary),
        doc: text(texts.doc),
        options: options.as_ptr(),
        option_count: options.len() as i32,
        option_stride: size::<ModuleOption>() as i32,
        slots: null(),
        slot_count: 0,
        slot_stride: 0,
        create,
        destroy: destroy::<T>,
        prepare,
        prepare_vjp,
        ops,
        extension: null(),
    }
}
