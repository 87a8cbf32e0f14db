/* weir.h of draft 4 of the ABI, without its comments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_H
#define WEIR_H
#include <weir/abi.h>
WEIR_BEGIN_DECLS
#define WEIR_API           WEIR_EXPORT
#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
typedef struct weir_runtime weir_runtime;
typedef struct weir_model weir_model;
typedef struct weir_trainer weir_trainer;
typedef struct weir_error {
    weir_status status;
    char message[1020];
} weir_error;
WEIR_API const char *weir_version(void);
WEIR_API const char *weir_kernels(void);
WEIR_API void weir_free(void *memory);
typedef struct weir_settings {
    uint32_t struct_size;
    int32_t threads;
    const char *plugin_path;
    void (*log)(void *user, int32_t level, const char *line);
    int32_t (*interrupted)(void *user);
    void *user;
    const char *lock;
} weir_settings;
WEIR_API weir_status weir_open(const weir_settings *settings, weir_runtime **runtime, weir_error *error);
WEIR_API void weir_close(weir_runtime *runtime);
WEIR_API int32_t weir_threads(const weir_runtime *runtime);
WEIR_API weir_status weir_modules(weir_runtime *runtime, const char *id, char **json, weir_error *error);
WEIR_API weir_status weir_plugins(weir_runtime *runtime, char **json, weir_error *error);
WEIR_API weir_status weir_plugins_lock(weir_runtime *runtime, const weir_model *model, const char *path,
                                       weir_error *error);
WEIR_API const char *weir_plugin_at(const void *address);
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
typedef struct weir_matrix {
    uint32_t struct_size;
    int32_t dtype;
    int64_t rows, columns;
    int64_t row_stride;
    void *data;
} weir_matrix;
WEIR_API weir_status weir_model_build(weir_runtime *runtime, const char *json, int64_t length,
                                      weir_model **model, weir_error *error);
WEIR_API weir_status weir_model_load(weir_runtime *runtime, const char *path, weir_model **model,
                                     weir_error *error);
WEIR_API weir_status weir_model_save(const weir_model *model, const char *path, weir_error *error);
WEIR_API void weir_model_close(weir_model *model);
#define WEIR_MODEL_FEATURES   1
#define WEIR_MODEL_LATENT     2
#define WEIR_MODEL_CONTEXT    3
#define WEIR_MODEL_PRECISION  4
#define WEIR_MODEL_PARAMETERS 5
#define WEIR_MODEL_BUFFERS    6
#define WEIR_MODEL_TENSORS    7
#define WEIR_MODEL_TILE       8
#define WEIR_MODEL_LEVELS     9
#define WEIR_MODEL_VERSION    10
WEIR_API int64_t weir_model_get(const weir_model *model, int32_t what);
WEIR_API weir_status weir_model_describe(const weir_model *model, char **json, weir_error *error);
WEIR_API weir_status weir_model_metadata(const weir_model *model, char **json, weir_error *error);
WEIR_API weir_status weir_model_set_metadata(weir_model *model, const char *json, weir_error *error);
WEIR_API weir_status weir_model_set_recompute(weir_model *model, int32_t recompute, weir_error *error);
#define WEIR_VALUE_INTEGER  1
#define WEIR_VALUE_NUMBER   2
#define WEIR_VALUE_TEXT     3
#define WEIR_VALUE_REALS    4
#define WEIR_VALUE_INTEGERS 5
typedef struct weir_value {
    uint32_t struct_size;
    int32_t type;
    int64_t integer;
    double number;
    const char *text;
    const double *reals;
    const int64_t *integers;
    int32_t rank;
    int32_t reserved;
    int64_t dims[4];
} weir_value;
typedef struct weir_answer weir_answer;
WEIR_API weir_status weir_model_call(weir_model *model, const char *module, const char *method,
                                     const weir_value *arguments, int32_t argument_count,
                                     weir_answer **answer, weir_error *error);
WEIR_API int32_t weir_answer_count(const weir_answer *answer);
WEIR_API weir_status weir_answer_at(const weir_answer *answer, int32_t index, weir_value *value,
                                    weir_error *error);
WEIR_API void weir_answer_free(weir_answer *answer);
typedef struct weir_call {
    uint32_t struct_size;
    int32_t mode;
    const weir_matrix *context;
    uint64_t seed;
    uint64_t step;
    uint64_t first_row;
    int64_t discarded;
} weir_call;
WEIR_API weir_status weir_log_prob(const weir_model *model, const weir_matrix *x, weir_call *call,
                                   double *log_p, weir_error *error);
WEIR_API weir_status weir_forward(const weir_model *model, const weir_matrix *x, weir_call *call,
                                  const weir_matrix *z, double *log_det, weir_error *error);
WEIR_API weir_status weir_inverse(const weir_model *model, const weir_matrix *z, weir_call *call,
                                  const weir_matrix *x, double *log_det, weir_error *error);
WEIR_API weir_status weir_sample(const weir_model *model, weir_call *call, const weir_matrix *x,
                                 double *log_p, weir_error *error);
WEIR_API weir_status weir_score(const weir_model *model, const weir_matrix *x, weir_call *call,
                                const weir_matrix *score, double *log_p, weir_error *error);
#define WEIR_TENSOR_PARAMETER 1
#define WEIR_TENSOR_BUFFER    2
typedef struct weir_tensor_info {
    uint32_t struct_size;
    int32_t kind;
    int32_t dtype;
    int32_t rank;
    int64_t dims[4];
    int64_t count;
    int32_t frozen;
    int32_t reserved;
    const char *name;
} weir_tensor_info;
WEIR_API weir_status weir_tensor_at(const weir_model *model, int64_t index, weir_tensor_info *info,
                                    weir_error *error);
WEIR_API int64_t weir_tensor_find(const weir_model *model, const char *name);
WEIR_API weir_status weir_tensor_read(const weir_model *model, int64_t index, double *values, int64_t count,
                                      weir_error *error);
WEIR_API weir_status weir_tensor_write(weir_model *model, int64_t index, const double *values, int64_t count,
                                       weir_error *error);
WEIR_API weir_status weir_freeze(weir_model *model, const char *pattern, int32_t frozen, weir_error *error);
WEIR_API weir_status weir_model_initialize(weir_model *model, const weir_matrix *x, weir_call *call,
                                           int32_t again, weir_error *error);
WEIR_API weir_status weir_trainer_create(weir_model *model, const char *settings_json, weir_trainer **trainer,
                                         weir_error *error);
WEIR_API void weir_trainer_close(weir_trainer *trainer);
typedef int32_t (*weir_target)(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                               double *gradient);
typedef struct weir_step {
    uint32_t struct_size;
    int32_t reserved;
    double learning_rate;
    uint64_t epoch;
    const weir_matrix *x;
    const weir_matrix *context;
    const int64_t *rows;
    int64_t row_count;
    const double *weights;
    int64_t samples;
    weir_target target;
    void *target_user;
    const char *target_json;
} weir_step;
typedef struct weir_step_result {
    uint32_t struct_size;
    int32_t applied;
    double loss;
    double gradient_norm;
    int64_t rows, discarded;
    char message[512];
} weir_step_result;
WEIR_API weir_status weir_trainer_step(weir_trainer *trainer, const weir_step *step, weir_step_result *result,
                                       weir_error *error);
WEIR_API weir_status weir_trainer_gradient(weir_trainer *trainer, const weir_step *step,
                                           weir_step_result *result, double *gradient, int64_t count,
                                           weir_error *error);
WEIR_API weir_status weir_trainer_snapshot(weir_trainer *trainer, weir_error *error);
WEIR_API weir_status weir_trainer_restore(weir_trainer *trainer, weir_error *error);
WEIR_API weir_status weir_trainer_save(const weir_trainer *trainer, const char *path, const char *loop_json,
                                       weir_error *error);
WEIR_API weir_status weir_trainer_resume(weir_trainer *trainer, const char *path, char **loop_json,
                                         weir_error *error);
typedef struct weir_array weir_array;
WEIR_API weir_status weir_array_read(const char *path, const char *member, weir_array **array,
                                     weir_error *error);
WEIR_API void weir_array_free(weir_array *array);
WEIR_API int32_t weir_array_dtype(const weir_array *array);
WEIR_API int32_t weir_array_rank(const weir_array *array);
WEIR_API int64_t weir_array_dim(const weir_array *array, int32_t axis);
WEIR_API void *weir_array_data(weir_array *array);
WEIR_API const char *weir_array_column(const weir_array *array, int64_t j);
WEIR_API weir_status weir_matrix_write(const char *path, const weir_matrix *matrix,
                                       const char *const *columns, weir_error *error);
WEIR_API weir_status weir_check(weir_runtime *runtime, const char *id_or_file, const char *options_json,
                                char **json, int32_t *ok, weir_error *error);
WEIR_END_DECLS
#endif
