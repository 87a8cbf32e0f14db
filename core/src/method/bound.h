/* bound.h - a method of one instance, ready to be called. */
#ifndef WEIR__BOUND_H
#define WEIR__BOUND_H

#include "method/signature.h"

struct weir__instance;
struct weir__run;

/** What its signature and libffi make of one method; made at the first call, and kept by the instance. */
typedef struct weir__bound weir__bound;

/** The method of that name: INVALID, with the nearest name or all of them, when there is none. */
weir_status weir__bind(struct weir__instance *instance, const char *name, weir__bound **bound,
                       weir_error *error);
void weir__bound_free(struct weir__instance *instance);

/** Memory of an argument or a result: an integer, a number, or an address. */
typedef union weir__slot_value {
    int64_t integer;
    double number;
    const void *address;
} weir__slot_value;

/** Calls it: values are those of its items in order, those of results addresses. The run is begun, with no rows. */
weir_status weir__bound_call(weir__bound *bound, struct weir__run *run, const weir__slot_value *values,
                             weir_error *error);

const weir__signature *weir__bound_signature(const weir__bound *bound);
/** WEIR_F32 or WEIR_F64: the type behind real. */
int32_t weir__bound_precision(const weir__bound *bound);
/** Puts "flow.3 (rq_spline): knots: " before the message that is there, and returns its status. */
weir_status weir__bound_fail(const weir__bound *bound, weir_error *error);

/** Lengths that the caller's arguments give to names. */
typedef struct weir__lengths {
    const weir__bound *bound;
    const weir__slot_value *arguments; /* those of integer arguments are there */
    int32_t count;
    const char *names[WEIR__METHOD_ITEMS * WEIR__METHOD_RANK];
    int64_t values[WEIR__METHOD_ITEMS * WEIR__METHOD_RANK];
} weir__lengths;

/** The size that axis k of item i must have; `given` is the caller's, which a name without a value takes. */
weir_status weir__bound_size(weir__lengths *lengths, int32_t i, int32_t k, int64_t given, int64_t *size,
                             weir_error *error);

#endif
