/* weir.h - the embedding API of libweir: exact densities and samples from normalizing flows in C.
 *
 * SPDX-License-Identifier: MIT
 *
 *      weir_runtime *rt;  weir_model *m;  weir_error e;
 *      if (weir_open(NULL, &rt, &e) || weir_model_load(rt, "flights.safetensors", &m, &e))
 *          return fprintf(stderr, "%s\n", e.message), 1;
 *      weir_log_prob(m, &x, NULL, log_p, &e);
 *
 * Conventions. Every function that can fail returns a weir_status (WEIR_OK = 0) and fills *error, which
 * may be NULL. Out pointers are written on success only. Strings returned through char ** are the
 * caller's, to be released with weir_free. Arrays are row-major, one row per sample. `forward` maps
 * data x to latent z. Nothing is global: two runtimes live side by side.
 *
 * Threads. A runtime's functions may be called from any thread. A model may be evaluated (log_prob,
 * forward, inverse, sample) by any number of threads at once; whatever changes it (initialize, train
 * step, write, load, freeze) needs it alone; the library does not lock for that.
 *
 * Structs start with struct_size = sizeof the struct as the caller was compiled; zero the rest to get
 * the defaults.
 */
#ifndef WEIR_H
#define WEIR_H

#include <weir/abi.h>

WEIR_BEGIN_DECLS

#define WEIR_API WEIR_EXPORT

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0

typedef struct weir_runtime weir_runtime;
typedef struct weir_model weir_model;
typedef struct weir_trainer weir_trainer;

/** One line that says what, where and what to do. */
typedef struct weir_error {
    weir_status status;
    char message[1020];
} weir_error;

/** "0.1.0" */
WEIR_API const char *weir_version(void);
/** The instruction set of the mathematics that this process uses: "avx512", "avx2" (with FMA), "sse2" or "plain". It is
 *  chosen for the processor when first needed; WEIR_MATH in the environment may name a lower one. */
WEIR_API const char *weir_kernels(void);
WEIR_API void weir_free(void *memory);

/* ---- runtime --------------------------------------------------------------------------------- */

typedef struct weir_settings {
    uint32_t struct_size;
    int32_t threads;         /**< workers; 0: the processors this process may use */
    const char *plugin_path; /**< folders before all others, separated by ':'; NULL: none */
    /** Lines of the host's log, and of modules (weir_services.log); level 0 debug, 1 information, 2 warning. One line at a
     *  time, on the thread that has it to say, which may be a worker's. NULL: warnings go to stderr. */
    void (*log)(void *user, int32_t level, const char *line);
    /** Asked between tiles by long calls on the calling thread; non-zero makes them stop with
     *  WEIR_INVALID, message "interrupted". NULL: never. */
    int32_t (*interrupted)(void *user);
    void *user;
    /** A lock file (see weir_plugins_lock): only plugin files that it names by their SHA-256 are used; no other is
     *  loaded, not even to be tried, and a model that needs one is refused. NULL: WEIR_LOCK, or no lock. */
    const char *lock;
} weir_settings;

/** Finds plugins (reading manifests, loading none): settings->plugin_path, WEIR_PLUGIN_PATH, then the
 *  folder beside this library. settings NULL: all defaults. A lock that cannot be read is an error. */
WEIR_API weir_status weir_open(const weir_settings *settings, weir_runtime **runtime, weir_error *error);
/** After every model of it is closed. NULL is fine. Plugins stay loaded. */
WEIR_API void weir_close(weir_runtime *runtime);
WEIR_API int32_t weir_threads(const weir_runtime *runtime);
/** What is installed, as JSON: a list of {"id", "kind", "version", "summary", "doc", "options", "children", "methods": list of
 *  {"name", "signature", "summary"}, "supplied_by_host", "dtypes", "plugin", "file"}; with `id`, that module only (INVALID with
 *  the nearest name when there is none), and its "files", those in the plugin folders that it may be made of: list of {"name",
 *  "path", "about", "good": false where it cannot}. Loads what it lists. */
WEIR_API weir_status weir_modules(weir_runtime *runtime, const char *id, char **json, weir_error *error);
/** Which plugin files were found, as JSON: {"folders": in the order of search, "lock": its file or null, "plugins": list of
 *  {"file", "plugin", "version", "needs", "sha256", "state": "loaded", "found" (not needed so far) or "refused", "reason":
 *  why refused, "checked": how it is known to load without harm ("manifest", "now" or "before": tried in a process of its
 *  own at this or an earlier start, "never"), "modules": list of {"id", "kind", "dtypes", "used", "used_from": the file that
 *  wins}}}; null where it is not known. Loads nothing. */
WEIR_API weir_status weir_plugins(weir_runtime *runtime, char **json, weir_error *error);
/** Writes a lock file: name, version, size and SHA-256 of every plugin file that the model uses, and of the files that its
 *  modules asked for by name (layers in Lua, say); or, with model NULL, of every plugin file that has a module in use, and
 *  of every script and declaration (*.lua, *.json) in the plugin folders. Atomic. The libraries that a plugin needs
 *  are not covered. */
WEIR_API weir_status weir_plugins_lock(weir_runtime *runtime, const weir_model *model, const char *path,
                                       weir_error *error);
/** The file of the plugin whose code or data holds this address, or NULL: for handlers of fatal signals, which may call
 *  it. A plugin that is being loaded is not yet known. */
WEIR_API const char *weir_plugin_at(const void *address);

/* ---- matrices --------------------------------------------------------------------------------- */

#define WEIR_DTYPE_F32  1
#define WEIR_DTYPE_F64  2
#define WEIR_DTYPE_U8   3
#define WEIR_DTYPE_I32  4
#define WEIR_DTYPE_I64  5
#define WEIR_DTYPE_I8   6
#define WEIR_DTYPE_U16  7
#define WEIR_DTYPE_I16  8
#define WEIR_DTYPE_U32  9
#define WEIR_DTYPE_BOOL 10

/** Rows of numbers in the caller's memory; element (i, j) is at data[i * row_stride + j]. Inputs may have
 *  any dtype, outputs F32 or F64. */
typedef struct weir_matrix {
    uint32_t struct_size;
    int32_t dtype;
    int64_t rows, columns;
    int64_t row_stride; /**< elements; 0: columns */
    void *data;
} weir_matrix;

/* ---- models ----------------------------------------------------------------------------------- */

/** Builds a model from its description, a JSON object (`length` < 0: up to the terminating zero):
 *    "flow"      node: {"type": ID, "options": {...}, "children": {SLOT: node or [nodes]}, "share": NAME,
 *                "frozen": true}; the host's own types are chain (children.layers: list), inverse
 *                (children.layer), slice (options.first, .count; children.layer), repeat (options.count;
 *                children.layers)
 *    "base"      node of a density, required
 *    "features"  columns of the data;  "context": columns of the context, default 0
 *    "image"     [channels, height, width], optional, product = features
 *    "dtype"     "f32" (default) or "f64";  "seed": default 0
 *    "metadata"  any JSON object, kept and saved
 *  Unknown keys, ids and options are refused with the nearest known name. */
WEIR_API weir_status weir_model_build(weir_runtime *runtime, const char *json, int64_t length,
                                      weir_model **model, weir_error *error);
/** Reads a safetensors file written by weir_model_save or a checkpoint. Runs nothing but installed plugins. */
WEIR_API weir_status weir_model_load(weir_runtime *runtime, const char *path, weir_model **model,
                                     weir_error *error);
/** Writes a temporary beside `path`, syncs it and renames it: the old file or the new, never half of one. */
WEIR_API weir_status weir_model_save(const weir_model *model, const char *path, weir_error *error);
WEIR_API void weir_model_close(weir_model *model);

#define WEIR_MODEL_FEATURES   1 /**< columns of x */
#define WEIR_MODEL_LATENT     2 /**< columns of z */
#define WEIR_MODEL_CONTEXT    3 /**< columns of the context */
#define WEIR_MODEL_PRECISION  4 /**< 32 or 64 */
#define WEIR_MODEL_PARAMETERS 5 /**< numbers trained, shared ones once */
#define WEIR_MODEL_BUFFERS    6 /**< numbers saved but not trained */
#define WEIR_MODEL_TENSORS    7 /**< how many weir_tensor_* knows */
#define WEIR_MODEL_TILE       8 /**< rows of a tile in the last training step; 0 before */
#define WEIR_MODEL_LEVELS     9 /**< integer levels of the data when a dequantize layer states them, else 0 */
#define WEIR_MODEL_VERSION    10 /**< counts changes of parameters */
/** One number about the model; -1 for an unknown `what`. */
WEIR_API int64_t weir_model_get(const weir_model *model, int32_t what);
/** {"flow": tree, "base": tree, "features", ...}: each node with type, version, plugin, name (path), in, out,
 *  parameters, options as used, traits, "supplied" (calls the host adds), "kept" (recompute keeps its input). */
WEIR_API weir_status weir_model_describe(const weir_model *model, char **json, weir_error *error);
/** The metadata object; set replaces it whole. */
WEIR_API weir_status weir_model_metadata(const weir_model *model, char **json, weir_error *error);
WEIR_API weir_status weir_model_set_metadata(weir_model *model, const char *json, weir_error *error);
/** 1: training rebuilds activations from outputs (memory constant in depth); 0 (default): tape. */
WEIR_API weir_status weir_model_set_recompute(weir_model *model, int32_t recompute, weir_error *error);

/* ---- methods ---------------------------------------------------------------------------------- */

#define WEIR_VALUE_INTEGER  1
#define WEIR_VALUE_NUMBER   2
#define WEIR_VALUE_TEXT     3 /**< an argument only */
#define WEIR_VALUE_REALS    4 /**< an array of doubles */
#define WEIR_VALUE_INTEGERS 5 /**< an array of int64_t */

/** What a method takes and gives. Arrays are dense and row-major. */
typedef struct weir_value {
    uint32_t struct_size;
    int32_t type; /**< WEIR_VALUE_* */
    int64_t integer;
    double number;
    const char *text;
    const double *reals;
    const int64_t *integers;
    int32_t rank; /**< of arrays, 1 to 4; 0 of single values */
    int32_t reserved;
    int64_t dims[4];
} weir_value;

/** The results of a call. */
typedef struct weir_answer weir_answer;

/** Calls a method of one module, for example "matrix" of "flow.3": `module` is its name in weir_model_describe, and weir_modules
 *  lists the methods of its type. Whole numbers serve as integers, arrays of them too, and arrays are converted to and from
 *  the module's precision. INVALID, saying what was expected, when there is no such module or method, or the arguments do
 *  not fit the signature. One thread at a time, with nobody changing the model meanwhile. */
WEIR_API weir_status weir_model_call(weir_model *model, const char *module, const char *method,
                                     const weir_value *arguments, int32_t argument_count,
                                     weir_answer **answer, weir_error *error);
WEIR_API int32_t weir_answer_count(const weir_answer *answer);
/** Result `index`, from 0; arrays live until the answer is freed. */
WEIR_API weir_status weir_answer_at(const weir_answer *answer, int32_t index, weir_value *value,
                                    weir_error *error);
WEIR_API void weir_answer_free(weir_answer *answer);

/* ---- evaluation ------------------------------------------------------------------------------- */

/** What a call may be given beside its data. */
typedef struct weir_call {
    uint32_t struct_size;
    int32_t mode;               /**< 0 evaluate (fixed noise), 1 train (noise keyed by step) */
    const weir_matrix *context; /**< needed when the model has context; rows as the data, or 1 row for all */
    uint64_t seed;              /**< of stochastic layers and of sampling; 0 is a seed like any other */
    uint64_t step;
    uint64_t first_row; /**< number of row 0: keys of the random streams */
    int64_t discarded;  /**< out: rows without a finite answer; their results are NaN */
} weir_call;

/** log p(x), in nats, for every row. call may be NULL. */
WEIR_API weir_status weir_log_prob(const weir_model *model, const weir_matrix *x, weir_call *call,
                                   double *log_p, weir_error *error);
/** z = f(x); log_det (log |det dz/dx|) may be NULL. */
WEIR_API weir_status weir_forward(const weir_model *model, const weir_matrix *x, weir_call *call,
                                  const weir_matrix *z, double *log_det, weir_error *error);
/** x = f^-1(z); log_det (log |det dx/dz|) may be NULL. */
WEIR_API weir_status weir_inverse(const weir_model *model, const weir_matrix *z, weir_call *call,
                                  const weir_matrix *x, double *log_det, weir_error *error);
/** x->rows samples; log_p (of each) may be NULL. */
WEIR_API weir_status weir_sample(const weir_model *model, weir_call *call, const weir_matrix *x,
                                 double *log_p, weir_error *error);
/** d log p / dx for every row. */
WEIR_API weir_status weir_score(const weir_model *model, const weir_matrix *x, weir_call *call,
                                const weir_matrix *score, double *log_p, weir_error *error);

/* ---- tensors ---------------------------------------------------------------------------------- */

#define WEIR_TENSOR_PARAMETER 1
#define WEIR_TENSOR_BUFFER    2

typedef struct weir_tensor_info {
    uint32_t struct_size;
    int32_t kind;  /**< WEIR_TENSOR_* */
    int32_t dtype; /**< WEIR_DTYPE_F32, _F64 or _I64 */
    int32_t rank;
    int64_t dims[4];
    int64_t count;  /**< product of dims */
    int32_t frozen; /**< not trained */
    int32_t reserved;
    const char *name; /**< "flow.3.network.hidden0.weight"; the model's, as long as it lives */
} weir_tensor_info;

WEIR_API weir_status weir_tensor_at(const weir_model *model, int64_t index, weir_tensor_info *info,
                                    weir_error *error);
/** -1 when no tensor has this name. */
WEIR_API int64_t weir_tensor_find(const weir_model *model, const char *name);
/** Copies all elements, converted. `count` must be the tensor's. */
WEIR_API weir_status weir_tensor_read(const weir_model *model, int64_t index, double *values, int64_t count,
                                      weir_error *error);
WEIR_API weir_status weir_tensor_write(weir_model *model, int64_t index, const double *values, int64_t count,
                                       weir_error *error);
/** Freezes (1) or thaws (0) every parameter whose name matches the shell pattern; INVALID when none does. */
WEIR_API weir_status weir_freeze(weir_model *model, const char *pattern, int32_t frozen, weir_error *error);

/* ---- training --------------------------------------------------------------------------------- */

/** Data-dependent initialisation (standardize, actnorm, ...), layer by layer, each seeing what those
 *  before it make of the data. Layers already initialised are left alone unless `again`. */
WEIR_API weir_status weir_model_initialize(weir_model *model, const weir_matrix *x, weir_call *call,
                                           int32_t again, weir_error *error);

/** Makes a trainer. UNSUPPORTED when a batch-coupled layer stands where it cannot be trained: inside anything but chain
 *  and repeat. settings_json may be NULL or an object:
 *    "optimizer"     "adam" (default), "adamw", "sgd"
 *    "beta1" 0.9, "beta2" 0.999, "epsilon" 1e-8, "momentum" 0.9 (sgd), "nesterov" false
 *    "weight_decay"  0: decoupled for adamw, added to the gradient otherwise; not on tensors marked no-decay
 *    "clip"          0: off, else the global gradient norm is scaled down to this
 *    "seed"          0: of noise and of reverse-KL samples
 *    "on_nan"        "skip" (default): leave parameters as they are; "rollback": back to the last snapshot */
WEIR_API weir_status weir_trainer_create(weir_model *model, const char *settings_json, weir_trainer **trainer,
                                         weir_error *error);
WEIR_API void weir_trainer_close(weir_trainer *trainer);

/** A target of reverse KL: fills log_p[rows] with log p~(x) up to a constant and gradient (rows x columns,
 *  row-major, F64) with its derivative. Called on the thread that called weir_trainer_step. Returns 0. */
typedef int32_t (*weir_target)(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                               double *gradient);

typedef struct weir_step {
    uint32_t struct_size;
    int32_t reserved;
    double learning_rate;
    uint64_t epoch; /**< keys the noise of stochastic layers */

    /* forward KL: mean over rows of -log p(x) */
    const weir_matrix *x;       /**< NULL: reverse KL */
    const weir_matrix *context; /**< rows as x; or one row */
    const int64_t *rows; /**< which rows of x (and context, weights) form the batch; NULL: all, in order */
    int64_t row_count;
    const double *weights; /**< one per row of x, >= 0; the loss is sum w l / sum w. NULL: all 1 */

    /* reverse KL: mean over samples of log q(x) - log p~(x) */
    int64_t samples;
    weir_target target;
    void *target_user;
    const char *target_json; /**< or a density node, {"type": ID}; parsed once per text */
} weir_step;

typedef struct weir_step_result {
    uint32_t struct_size;
    int32_t applied;      /**< 0: skipped or rolled back; message says why */
    double loss;          /**< nats, over the rows that counted */
    double gradient_norm; /**< before clipping */
    int64_t rows, discarded;
    char message[512]; /**< "" or layer, tensor and row of the first value that was not finite */
} weir_step_result;

/** One optimisation step. A batch with no finite gradient is not an error: see result->applied. Batch-coupled layers
 *  (batch normalisation) use the statistics of the batch's rows, each counted once whatever its weight, discarded ones not
 *  at all, in forward KL; in reverse KL they are what they are in evaluation, and constant. They cost one more forward pass
 *  through the layers before the last of them, and the batch's activations at each. */
WEIR_API weir_status weir_trainer_step(weir_trainer *trainer, const weir_step *step, weir_step_result *result,
                                       weir_error *error);
/** Loss and its gradient, no step: `gradient` gets one double per trained number, in tensor order. The model stays as it
 *  is, running averages too. */
WEIR_API weir_status weir_trainer_gradient(weir_trainer *trainer, const weir_step *step,
                                           weir_step_result *result, double *gradient, int64_t count,
                                           weir_error *error);
/** Keeps a copy of parameters and buffers; restore puts it back (INVALID when there is none). */
WEIR_API weir_status weir_trainer_snapshot(weir_trainer *trainer, weir_error *error);
WEIR_API weir_status weir_trainer_restore(weir_trainer *trainer, weir_error *error);
/** Checkpoint: model, snapshot, optimizer state, counters, and `loop_json` (the caller's own loop state), in one
 *  safetensors file, written as weir_model_save does. */
WEIR_API weir_status weir_trainer_save(const weir_trainer *trainer, const char *path, const char *loop_json,
                                       weir_error *error);
/** Puts a fresh trainer over a model of the same description where the checkpoint left off. */
WEIR_API weir_status weir_trainer_resume(weir_trainer *trainer, const char *path, char **loop_json,
                                         weir_error *error);

/* ---- files ------------------------------------------------------------------------------------ */

/** An array read from a file, the library's memory. */
typedef struct weir_array weir_array;

/** .npy, .npz (`member` names the array; NULL: the only one), .csv (header or not), IDX (also .gz), by content
 *  and ending. */
WEIR_API weir_status weir_array_read(const char *path, const char *member, weir_array **array,
                                     weir_error *error);
WEIR_API void weir_array_free(weir_array *array);
/** dtype, rank and dims (up to 4); data is contiguous, row-major, native byte order. */
WEIR_API int32_t weir_array_dtype(const weir_array *array);
WEIR_API int32_t weir_array_rank(const weir_array *array);
WEIR_API int64_t weir_array_dim(const weir_array *array, int32_t axis);
WEIR_API void *weir_array_data(weir_array *array);
/** Name of column j (CSV with a header), or NULL. */
WEIR_API const char *weir_array_column(const weir_array *array, int64_t j);
/** Writes .npy or .csv, by the ending; `columns` (names, for CSV) may be NULL. Atomic. */
WEIR_API weir_status weir_matrix_write(const char *path, const weir_matrix *matrix,
                                       const char *const *columns, weir_error *error);

/* ---- conformance ------------------------------------------------------------------------------ */

/** Checks a module (by id), or a .so file and every module in it, against the promises of the ABI, in f64. Each check runs in
 *  a process of its own (of weir-checker, which is started, not forked): one that crashes, ends the process or hangs is a
 *  check that failed, and the caller's process never runs the module's code. options_json: NULL or an object:
 *    "options", "children", "features", "context", "image": [channels, height, width]   how to build it
 *    "points"   where valid inputs of a layer lie that does not say so itself: "line" (default), "unit" for (0, 1) or
 *               "integers"
 *    "seed"     of points and weights, default 1
 *    "level"    "quick" (default) or "full": arguments between pages that cannot be touched, inputs read-only, and longer
 *    "only"     the name of one check
 *    "timeout"  seconds that one check may take, default 20
 *    "isolate"  false: everything in the caller's process, where checks of loading, and those that need a process of their
 *               own, are left out
 *  *json gets a list of {"module", "checks": [{"name", "rule": row of sdk/ABI.md, "ok", "figure", "limit", "note"}]}, with
 *  "again", a command, where a check failed, and "ended", "call" (of the module, or null) and "stack" (a list of lines) where
 *  its process came to an end. *ok: 1 when every promise holds. */
WEIR_API weir_status weir_check(weir_runtime *runtime, const char *id_or_file, const char *options_json,
                                char **json, int32_t *ok, weir_error *error);

WEIR_END_DECLS

#endif
