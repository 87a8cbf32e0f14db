/* weir/abi.h of draft 4 of the ABI, without its comments.
 *
 * SPDX-License-Identifier: MIT
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
#define WEIR_HAS(p, member)                                                                                  \
    ((p)->struct_size >= (size_t)((const char *)&(p)->member - (const char *)(p)) + sizeof((p)->member))
WEIR_BEGIN_DECLS
#define WEIR_MAGIC     UINT64_C(0x6962612e72696577)
#define WEIR_ABI_MAJOR 1
#define WEIR_ABI_MINOR 0
#define WEIR_ABI_DRAFT 4
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
#define WEIR_F32         32
#define WEIR_F64         64
struct weir_module;
typedef struct weir_fingerprint {
    uint32_t struct_size;
    uint32_t draft;
    uint32_t pointer_size;
    uint32_t int64_align;
    uint32_t byte_order;
    uint32_t reserved;
    char fork[16];
} weir_fingerprint;
typedef struct weir_root {
    uint64_t magic;
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;
    const weir_fingerprint *fingerprint;
    const char *name;
    const char *version;
    const char *needs;
    int32_t (*module_count)(void) WEIR_NOEXCEPT;
    const struct weir_module *(*module)(int32_t index, int32_t precision)WEIR_NOEXCEPT;
    const void *(*extension)(const char *id)WEIR_NOEXCEPT;
} weir_root;
typedef const weir_root *(*weir_plugin_fn)(void)WEIR_NOEXCEPT;
#define WEIR_PLUGIN_SYMBOL "weir_plugin"
WEIR_END_DECLS
#endif
