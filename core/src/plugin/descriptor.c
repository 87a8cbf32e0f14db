/* descriptor.c - checking module descriptors.
 *
 * SPDX-License-Identifier: MIT
 *
 * A refusal is the author's first message from the host, so it names the module, the member and the cure. Sizes are
 * checked against version 1.0 of each struct: what is longer comes from a newer SDK and is welcome.
 */
#include "plugin/descriptor.h"

#include "method/signature.h"
#include "plugin/listing.h"
#include "plugin/names.h"

#include <stddef.h>
#include <string.h>

/* The size of a struct whose last member in version 1.0 is `member`. */
#define SIZE_1_0(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

#define SUMMARY_MAX 500
#define DOC_MAX     65536
#define ENDING_MAX  40

static weir_status lacks(const weir_module *m, const char *member, weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "module %s: %s is NULL; a %s must have it", m->id, member,
                      weir__kind_name(m->kind));
}

static weir_status refuse(const weir_module *m, const char *what, weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "module %s: %s", m->id, what);
}

/* ---- calls -------------------------------------------------------------------------------------- */

static weir_status check_layer(const weir_module *m, weir_error *error)
{
    const weir_layer_ops *const ops = m->ops;
    if (!ops->forward) return lacks(m, "forward", error);
    if (m->flags & (WEIR_MODULE_OBSERVE_ONCE | WEIR_MODULE_OBSERVE_STEP)) {
        if (!ops->observe_size || !ops->observe || !ops->merge || !ops->observe_finish)
            return refuse(
                m,
                "it says that it observes, so observe_size, observe, merge and observe_finish must be there",
                error);
    }
    if ((m->flags & WEIR_MODULE_OBSERVE_STEP) && (!ops->observe_vjp || !ops->observe_vjp_finish))
        return refuse(m, "it observes every batch, so observe_vjp and observe_vjp_finish must be there",
                      error);
    return WEIR_OK;
}

static weir_status check_network(const weir_module *m, weir_error *error)
{
    const weir_network_ops *const ops = m->ops;
    if (!ops->forward) return lacks(m, "forward", error);
    if (!ops->vjp) return lacks(m, "vjp", error);
    const int calls = !!ops->begin + !!ops->step + !!ops->begin_vjp + !!ops->step_vjp + !!ops->end_vjp;
    if (calls == 0 || calls == 5) return WEIR_OK;
    return refuse(m, "begin, step, begin_vjp, step_vjp and end_vjp go together: all five or none", error);
}

static weir_status check_density(const weir_module *m, weir_error *error)
{
    const weir_density_ops *const ops = m->ops;
    if (!ops->log_density) return lacks(m, "log_density", error);
    if (!ops->vjp) return lacks(m, "vjp", error);
    return WEIR_OK;
}

static size_t ops_size(int32_t kind)
{
    if (kind == WEIR_LAYER) return SIZE_1_0(weir_layer_ops, sample_points);
    if (kind == WEIR_UNIVARIATE) return SIZE_1_0(weir_univariate_ops, inverse_vjp);
    if (kind == WEIR_NETWORK) return SIZE_1_0(weir_network_ops, dual_vjp);
    return SIZE_1_0(weir_density_ops, sample_vjp);
}

/* Every ops table starts with its struct_size. */
static weir_status check_ops(const weir_module *m, weir_error *error)
{
    if (!m->ops) return lacks(m, "ops", error);
    const uint32_t size = *(const uint32_t *)m->ops;
    if (size < ops_size(m->kind))
        return weir__fail(error, WEIR_INVALID,
                          "module %s: ops.struct_size is %u, a %s has at least %zu; set it to sizeof", m->id,
                          size, weir__kind_name(m->kind), ops_size(m->kind));
    if (m->kind == WEIR_LAYER) return check_layer(m, error);
    if (m->kind == WEIR_NETWORK) return check_network(m, error);
    if (m->kind == WEIR_DENSITY) return check_density(m, error);
    return ((const weir_univariate_ops *)m->ops)->forward ? WEIR_OK : lacks(m, "forward", error);
}

static weir_status check_life(const weir_module *m, weir_error *error)
{
    if (!m->create) return lacks(m, "create", error);
    if (!m->destroy) return lacks(m, "destroy", error);
    if (m->prepare && !m->prepare_vjp)
        return refuse(
            m, "prepare is there, so prepare_vjp must be too; without it derived tensors have no gradient",
            error);
    return WEIR_OK;
}

/* ---- the descriptor ------------------------------------------------------------------------------ */

static weir_status check_id(const weir_module *m, weir_error *error)
{
    if (!weir__is_id(m->id))
        return weir__fail(
            error, WEIR_INVALID,
            "module id \"%.64s\" is not of the form [a-z][a-z0-9_]*, or two such joined by a dot",
            m->id ? m->id : "");
    if (weir__is_reserved_id(m->id))
        return weir__fail(error, WEIR_INVALID, "module id \"%s\" is a container of the host; choose another",
                          m->id);
    return WEIR_OK;
}

static weir_status check_texts(const weir_module *m, weir_error *error)
{
    if (!weir__is_version(m->version))
        return refuse(m, "version is not of the form \"major.minor.patch\"", error);
    if (!weir__is_text(m->summary, SUMMARY_MAX, 0))
        return refuse(m, "summary must be one line of UTF-8 text, not empty, at most 500 bytes", error);
    if (m->doc && *m->doc && !weir__is_text(m->doc, DOC_MAX, 1))
        return refuse(m, "doc must be UTF-8 text of at most 64 KiB", error);
    return WEIR_OK;
}

static weir_status check_numbers(const weir_module *m, int32_t precision, weir_error *error)
{
    if (!weir__kind_name(m->kind))
        return weir__fail(error, WEIR_INVALID, "module %s: kind %d is unknown to this host", m->id,
                          (int)m->kind);
    if (m->precision != precision)
        return weir__fail(error, WEIR_INVALID, "module %s: asked for f%d, its descriptor says %d", m->id,
                          (int)precision, (int)m->precision);
    if (m->concurrency < WEIR_REENTRANT || m->concurrency > WEIR_SERIAL)
        return weir__fail(error, WEIR_INVALID, "module %s: concurrency %d is unknown to this host", m->id,
                          (int)m->concurrency);
    return WEIR_OK;
}

static weir_status check_files(const weir_module *m, weir_error *error)
{
    if (!WEIR_HAS(m, describe_file) || !m->file_ending) return WEIR_OK;
    if (m->file_ending[0] != '.' || !weir__is_text(m->file_ending, ENDING_MAX, 0) ||
        strchr(m->file_ending, '/'))
        return refuse(m, "file_ending must start with a dot and be short, such as \".table\"", error);
    return m->describe_file ? WEIR_OK
                            : refuse(m, "it has a file_ending, so describe_file must be there", error);
}

weir_status weir__descriptor_check(const weir_module *m, int32_t precision, weir_error *error)
{
    const size_t least = SIZE_1_0(weir_module, extension);
    if (m->struct_size < least)
        return weir__fail(
            error, WEIR_INVALID,
            "a module's struct_size is %u, at least %zu is needed; set it to sizeof(weir_module)",
            m->struct_size, least);
    weir_status status = check_id(m, error);
    if (!status) status = check_numbers(m, precision, error);
    if (!status) status = check_texts(m, error);
    if (!status) status = weir__schema_check(m, error);
    if (!status) status = check_life(m, error);
    if (!status) status = check_ops(m, error);
    if (!status) status = weir__methods_check(m, error);
    if (!status) status = check_files(m, error);
    return status;
}

weir_status weir__descriptor_agree(const weir_module *f32, const weir_module *f64, weir_error *error)
{
    if (strcmp(f32->id, f64->id) != 0)
        return weir__fail(error, WEIR_INVALID, "one index gives module %s in f32 and %s in f64", f32->id,
                          f64->id);
    if (f32->kind != f64->kind) return refuse(f32, "f32 and f64 differ in kind", error);
    if (strcmp(f32->version, f64->version) != 0) return refuse(f32, "f32 and f64 differ in version", error);
    const weir_status status = weir__options_agree(f32, f64, error);
    return status ? status : weir__methods_agree(f32, f64, error);
}
