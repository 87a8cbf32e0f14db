/* demand.h - what a caller of weir_check asks for. */
#ifndef WEIR__DEMAND_H
#define WEIR__DEMAND_H

#include "error.h"

#include <jansson.h>

typedef struct weir__demand {
    json_t *object;                  /* the whole of options_json; the strings below are its own */
    int64_t features, context, seed; /* features, context: -1 when not given */
    int32_t points;                  /* WEIR__POINTS_* */
    int32_t image[3];                /* all 0: none */
    int32_t full;                    /* level: 0 quick, 1 full */
    int32_t isolated;                /* tests run in processes of their own */
    double patience;                 /* seconds that one test may take */
    const char *only;                /* the one check to run; NULL: all */
} weir__demand;

/** weir__demand_clear is safe after a failure too. */
weir_status weir__demand_read(const char *options_json, weir__demand *demand, weir_error *error);
void weir__demand_clear(weir__demand *demand);

#endif
