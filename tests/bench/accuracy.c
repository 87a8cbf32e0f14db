/* accuracy.c - see accuracy.h. */
#include "accuracy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every f32 is a double, so that nothing of a weight is lost on the way. */
static weir_status copy_tensor(const weir_model *from, weir_model *to, int64_t index, weir_error *error)
{
    weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
    weir_status status = weir_tensor_at(from, index, &info, error);
    if (status) return status;
    double *const values = malloc((size_t)(info.count + 1) * sizeof *values);
    if (!values) return *error = (weir_error){WEIR_ERROR, "out of memory for a tensor"}, WEIR_ERROR;
    status = weir_tensor_read(from, index, values, info.count, error);
    if (!status) status = weir_tensor_write(to, weir_tensor_find(to, info.name), values, info.count, error);
    free(values);
    return status;
}

weir_status accuracy_exact(weir_runtime *runtime, const work *w, const weir_model *model,
                           const weir_matrix *x, double *log_p, weir_error *error)
{
    char json[WORK_TEXT];
    weir_model *wide = NULL;
    work_describe(w, "f64", json, sizeof json);
    weir_status status = weir_model_build(runtime, json, -1, &wide, error);
    const int64_t tensors = weir_model_get(model, WEIR_MODEL_TENSORS);
    for (int64_t i = 0; i < tensors && !status; i++) status = copy_tensor(model, wide, i, error);
    if (!status) status = weir_log_prob(wide, x, NULL, log_p, error);
    weir_model_close(wide);
    return status;
}

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int accuracy_compare(const double *a, const double *b, int64_t rows, int32_t features, deviation *out)
{
    double *const off = malloc((size_t)rows * sizeof *off);
    if (!off) return 0;
    for (int64_t i = 0; i < rows; i++) {
        off[i] = fabs(a[i] - b[i]) / (features + fabs(b[i]));
        if (!(off[i] < HUGE_VAL)) off[i] = HUGE_VAL;
    }
    qsort(off, (size_t)rows, sizeof *off, compare_doubles);
    *out = (deviation){off[rows - 1 - rows / 100], off[rows - 1]};
    free(off);
    return 1;
}
