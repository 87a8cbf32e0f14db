/* A stranger's program: opens libweir from where it was installed, builds a model and evaluates one point. */
#include <weir.h>

#include <math.h>
#include <stdio.h>

int main(void)
{
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_error error;
    double point[2] = {0.5, -1}, log_p = 0;
    const weir_matrix x = {
        .struct_size = sizeof x, .dtype = WEIR_DTYPE_F64, .rows = 1, .columns = 2, .data = point};
    static const char description[] =
        "{\"features\": 2, \"dtype\": \"f64\", \"flow\": {\"type\": \"permutation\"}, \"base\": {\"type\": \"normal\"}}";

    if (weir_open(NULL, &runtime, &error) || weir_model_build(runtime, description, -1, &model, &error) ||
        weir_log_prob(model, &x, NULL, &log_p, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    weir_model_close(model);
    weir_close(runtime);
    const double expected = -0.5 * (0.25 + 1) - log(2 * 3.14159265358979323846);
    printf("log p = %.12f, expected %.12f\n", log_p, expected);
    return fabs(log_p - expected) > 1e-12;
}
