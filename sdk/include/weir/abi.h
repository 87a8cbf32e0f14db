/* weir/abi.h - the handshake: what a plugin exports and what is compared before anything is called.
 *
 * SPDX-License-Identifier: MIT
 *
 * A plugin is a shared object that exports exactly one symbol, the function weir_plugin, which
 * returns the address of a constant weir_root. Everything else is reached from there. The numbered
 * rules, their consequences and the tests that watch them are in sdk/ABI.md; the words MUST and MAY
 * here are those rules.
 *
 * Direction, said once for the whole project: `forward` maps data x to latent z, the normalizing
 * direction; `inverse` maps z to x, the sampling direction (Papamakarios et al. 2021 call these
 * T^-1 and T):      log p(x) = log p_base(f(x)) + log |det df/dx|.
 *
 * Types that cross the border are fixed-width signed integers, uint32_t flag words, uint64_t keys,
 * float or double (never as values of unknown width: data are void * and the precision is stated
 * beside them) and pointers. No enum, bool, long, size_t, bit-field, union or struct by value.
 *
 * Every struct that crosses starts with `uint32_t struct_size`, set by whoever fills it to sizeof of
 * the struct it was compiled with. A reader uses WEIR_HAS(p, member) before it touches a member that
 * is newer than version 1.0; a missing tail reads as zero or NULL. Larger is never an error.
 *
 * Thread tags: [main] one thread at a time for this host; [any] any thread, any number at once;
 * [worker] a thread that owns the frame it passes, any number at once with different frames.
 */
#ifndef WEIR_ABI_H
#define WEIR_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define WEIR_NOEXCEPT    noexcept
#define WEIR_EXTERN_C    extern "C"
#define WEIR_BEGIN_DECLS extern "C" {
#define WEIR_END_DECLS   }
#else
#define WEIR_NOEXCEPT
#define WEIR_EXTERN_C extern
#define WEIR_BEGIN_DECLS
#define WEIR_END_DECLS
#endif

#if defined(__GNUC__)
#define WEIR_EXPORT __attribute__((visibility("default")))
#else
#define WEIR_EXPORT
#endif

/** True when the struct that `p` points to is long enough to hold `member`. */
#define WEIR_HAS(p, member)                                                                                  \
    ((p)->struct_size >= (size_t)((const char *)&(p)->member - (const char *)(p)) + sizeof((p)->member))

WEIR_BEGIN_DECLS

/* ---- versions ------------------------------------------------------------------------------- */

/** Reads "weir.abi" in memory on a little-endian machine. */
#define WEIR_MAGIC     UINT64_C(0x6962612e72696577)
#define WEIR_ABI_MAJOR 1 /**< differs: refused */
#define WEIR_ABI_MINOR 0 /**< a newer one on either side is fine: each uses what both know */
/** While the ABI is a draft every revision is a world of its own, and this number must be equal on
 *  both sides. It becomes 0, for ever, when version 1 is frozen. */
#define WEIR_ABI_DRAFT 4

/* ---- status ladder -------------------------------------------------------------------------- */

/** What every call returns. Only OK and DISCARD leave outputs and accumulators defined; after any
 *  other the host restores them, and a VJP that fails voids the training step. */
typedef int32_t weir_status;

#define WEIR_STATUS_LIST(X)                                                                                  \
    X(WEIR_OK, 0, "ok")                                                                                      \
    X(WEIR_DISCARD, 1, "some rows have no finite answer; they are marked in the frame's bit mask")           \
    X(WEIR_UNSUPPORTED, 2, "this module does not offer the call; use the fallback")                          \
    X(WEIR_INVALID, 3, "the caller's fault: shape, option or state")                                         \
    X(WEIR_ERROR, 4, "this instance is unusable from now on")                                                \
    X(WEIR_FATAL, 5, "the whole plugin is unusable from now on")

#define WEIR_OK          0
#define WEIR_DISCARD     1
#define WEIR_UNSUPPORTED 2
#define WEIR_INVALID     3
#define WEIR_ERROR       4
#define WEIR_FATAL       5

/* ---- precisions ----------------------------------------------------------------------------- */

#define WEIR_F32 32
#define WEIR_F64 64

/* ---- the root ------------------------------------------------------------------------------- */

struct weir_module;

/** What must agree before any other member of the root is used. The host compares field by field
 *  and names the one that differs. Frozen: it never grows. */
typedef struct weir_fingerprint {
    uint32_t struct_size;
    uint32_t draft;        /**< WEIR_ABI_DRAFT */
    uint32_t pointer_size; /**< sizeof(void *) */
    uint32_t int64_align;  /**< alignment of int64_t inside a struct */
    uint32_t byte_order;   /**< 0x01020304 as the compiler stores it */
    uint32_t reserved;     /**< 0 */
    char fork[16];         /**< "weir", zero padded; a fork that changes a struct changes this */
} weir_fingerprint;

/** The one thing a plugin exports. Frozen: it never grows; what it lacks is an extension.
 *  Owned by the plugin, constant, alive for the life of the process (the host never unloads). */
typedef struct weir_root {
    uint64_t magic;                      /**< WEIR_MAGIC */
    uint32_t struct_size;                /**< sizeof(weir_root) */
    uint32_t abi_major;                  /**< WEIR_ABI_MAJOR */
    uint32_t abi_minor;                  /**< WEIR_ABI_MINOR */
    uint32_t reserved;                   /**< 0 */
    const weir_fingerprint *fingerprint; /**< never NULL */
    const char *name;                    /**< plugin name: [a-z][a-z0-9_]*, never NULL */
    const char *version;                 /**< "major.minor.patch", never NULL */
    /** Shared libraries needed beside libc and libm, separated by spaces; "" or NULL: none. */
    const char *needs;
    /** Number of modules. [any] */
    int32_t (*module_count)(void) WEIR_NOEXCEPT;
    /** Module `index` built for `precision` (WEIR_F32 or WEIR_F64); NULL when the index is out of
     *  range or that precision is not offered. The answer is constant. [any] */
    const struct weir_module *(*module)(int32_t index, int32_t precision)WEIR_NOEXCEPT;
    /** A table known by a string id, "vendor.name/revision", or NULL when unknown. May be NULL. [any] */
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;
} weir_root;

/** The exported function. Called once or more, before anything else, on a thread of the host's. It
 *  MUST NOT start threads, touch signals, locale, floating-point control, files or streams. [main] */
typedef const weir_root *(*weir_plugin_fn)(void)WEIR_NOEXCEPT;
#define WEIR_PLUGIN_SYMBOL "weir_plugin"

WEIR_END_DECLS

#endif
