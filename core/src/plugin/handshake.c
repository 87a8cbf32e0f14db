/* handshake.c - field by field, so that a refusal says what differs.
 *
 * SPDX-License-Identifier: MIT
 *
 * Order matters: nothing is read before the fields that say it is there have agreed. A newer minor version or a larger
 * struct is never refused.
 */
#include "plugin/handshake.h"

#include "plugin/names.h"

#include <stddef.h>
#include <string.h>

#define REBUILD "rebuild the plugin with this Weir's SDK"

struct int64_alignment {
    char first;
    int64_t value;
};

static weir_status differs(weir_error *error, const char *field, unsigned long long plugin,
                           unsigned long long host)
{
    return weir__fail(error, WEIR_INVALID, "%s differs: plugin %llu, host %llu; " REBUILD, field, plugin,
                      host);
}

static weir_status check_fork(const char fork[16], weir_error *error)
{
    static const char ours[16] = "weir";
    if (memcmp(fork, ours, sizeof ours) == 0) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID,
                      "fingerprint.fork differs: plugin \"%.16s\", host \"weir\"; " REBUILD, fork);
}

static weir_status check_fingerprint(const weir_fingerprint *f, weir_error *error)
{
    const uint32_t size = (uint32_t)sizeof *f, pointer = (uint32_t)sizeof(void *);
    const uint32_t align = (uint32_t)offsetof(struct int64_alignment, value), order = UINT32_C(0x01020304);
    if (f->struct_size != size) return differs(error, "fingerprint.struct_size", f->struct_size, size);
    if (f->pointer_size != pointer)
        return differs(error, "fingerprint.pointer_size", f->pointer_size, pointer);
    if (f->int64_align != align) return differs(error, "fingerprint.int64_align", f->int64_align, align);
    if (f->byte_order != order) return differs(error, "fingerprint.byte_order", f->byte_order, order);
    return check_fork(f->fork, error);
}

static weir_status check_version(const weir_root *root, weir_error *error)
{
    if (root->abi_major != WEIR_ABI_MAJOR)
        return differs(error, "abi_major", root->abi_major, WEIR_ABI_MAJOR);
    if (root->fingerprint->draft != WEIR_ABI_DRAFT)
        return differs(error, "fingerprint.draft", root->fingerprint->draft, WEIR_ABI_DRAFT);
    return WEIR_OK;
}

static weir_status check_names(const weir_root *root, weir_error *error)
{
    if (!weir__is_name(root->name))
        return weir__fail(error, WEIR_INVALID,
                          "root.name is not of the form [a-z][a-z0-9_]*; rename the plugin");
    if (!weir__is_version(root->version))
        return weir__fail(error, WEIR_INVALID,
                          "root.version is not of the form \"major.minor.patch\"; correct it");
    if (root->needs && *root->needs && !weir__is_text(root->needs, WEIR__NEEDS_MAX, 0))
        return weir__fail(error, WEIR_INVALID, "root.needs is not printable text; correct it");
    return WEIR_OK;
}

weir_status weir__handshake(const weir_root *root, weir_error *error)
{
    if (!root) return weir__fail(error, WEIR_INVALID, WEIR_PLUGIN_SYMBOL " returned NULL; " REBUILD);
    if (root->magic != WEIR_MAGIC)
        return weir__fail(error, WEIR_INVALID, "magic differs: plugin %#llx, host %#llx; " REBUILD,
                          (unsigned long long)root->magic, (unsigned long long)WEIR_MAGIC);
    if (root->struct_size < sizeof *root)
        return differs(error, "root.struct_size", root->struct_size, sizeof *root);
    if (!root->fingerprint) return weir__fail(error, WEIR_INVALID, "root.fingerprint is NULL; " REBUILD);
    weir_status status = check_fingerprint(root->fingerprint, error);
    if (!status) status = check_version(root, error);
    if (!status) status = check_names(root, error);
    if (status) return status;
    if (root->module_count && root->module) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "root.module_count or root.module is NULL; " REBUILD);
}
