/* solo.h - one module alone, with a frame of its own, for conformance checks.
 *
 * A solo is a tiny model: the module (with children as described), its tensors, one worker. Tensors of a solo are read
 * and written as doubles whatever its precision.
 */
#ifndef WEIR__SOLO_H
#define WEIR__SOLO_H

#include "error.h"
#include "plugin/registry.h"

#include <jansson.h>
#include <weir/build.h>

typedef struct weir__solo weir__solo;

typedef struct weir__solo_spec {
    const json_t *node;       /* {"type": id, "options": ..., "children": ...} */
    const weir__entry *entry; /* non-NULL: use this module instead of looking up node's type */
    int32_t precision;        /* WEIR_F32 or WEIR_F64 */
    int32_t features, context;
    const int32_t *image;      /* NULL, or channels, height, width with product features */
    int32_t autoregressive;    /* networks: weir_network_spec.autoregressive */
    int32_t out;               /* networks: outputs */
    const double *output_bias; /* networks: [out] or NULL */
    uint64_t seed;
    int32_t supply; /* 1: missing calls are supplied by the host; 0: the child's ops are the module's own
                                   (NULL where it has none) */
} weir__solo_spec;

weir_status weir__solo_open(weir_runtime *runtime, const weir__solo_spec *spec, weir__solo **solo,
                            weir_error *error);
void weir__solo_close(weir__solo *solo);
/** Another worker over the same instance and tensors, with frame and gradients of its own: for calls from another thread.
 *  It is closed before the one it shares with. */
weir_status weir__solo_share(weir__solo *with, weir__solo **solo, weir_error *error);

/** The module as a parent sees it: ops, features, params, traits, identity. */
const weir_child *weir__solo_child(const weir__solo *solo);
const weir_module *weir__solo_module(const weir__solo *solo);

/** For calls of methods (method/bound.h): the module's instance, and its worker, begun with no rows. */
struct weir__instance *weir__solo_instance(const weir__solo *solo);
struct weir__run *weir__solo_begin(weir__solo *solo);

/** Tensors: parameters first, then derived, then buffers, in handle order. */
int64_t weir__solo_tensors(const weir__solo *solo);
typedef struct weir__solo_tensor {
    const char *name;
    int32_t kind; /* 1 parameter, 2 buffer, 3 derived */
    int32_t integer;
    int64_t count;
    void *data;     /* in the solo's precision, or int64_t */
    void *gradient; /* NULL for buffers */
} weir__solo_tensor;
weir__solo_tensor weir__solo_tensor_at(const weir__solo *solo, int64_t index);
/** Call after writing parameters: runs prepare. */
weir_status weir__solo_prepare(weir__solo *solo, weir_error *error);
/** Chains derived gradients back and masks linear objects: call once after VJPs, before reading gradients. */
weir_status weir__solo_finish_gradients(weir__solo *solo, weir_error *error);
void weir__solo_zero_gradients(weir__solo *solo);

/** A frame for `rows` rows (at most 256). with_tape: pushes allowed. with_gradients: gradients wanted. context and
 *  context_bar: NULL, or tiles that the caller made with weir__solo_tile. Resets scratch, tape and discard bits. Row ids
 *  are 0, 1, ...; the frame lives until the next call of this function or close. */
weir_frame *weir__solo_frame(weir__solo *solo, int32_t rows, int32_t mode, int32_t with_tape,
                             int32_t with_gradients, const weir_tile *context, const weir_tile *context_bar);
/** Bytes on the tape now, and rewinding to an earlier value. */
int64_t weir__solo_tape_mark(const weir__solo *solo);
void weir__solo_tape_rewind(weir__solo *solo, int64_t mark);
/** The message of the last fail() through the frame; "" when none. */
const char *weir__solo_message(const weir__solo *solo);

/** Memory for a tile of `features` lanes and up to 256 rows, released by close. Lanes are padded with a sentinel pattern
 *  beyond `width`. */
weir_tile weir__solo_tile(weir__solo *solo, int32_t features, int32_t rows);

/** observe over a tile, merge into a total of one partial, finish. UNSUPPORTED when the module does not observe. */
weir_status weir__solo_observe(weir__solo *solo, weir_frame *frame, int32_t inverse, const weir_tile *tile,
                               weir_error *error);

#endif
