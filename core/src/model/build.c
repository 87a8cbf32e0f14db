/* build.c - the builder: what a module's create asks and declares. Its children are instance.c's. */
#include "model/files.h"
#include "model/making.h"
#include "model/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTS_MOST (INT64_C(1) << 34)

static void fail(weir_builder *b, const char *text)
{
    weir__refuse(weir__making_of(b), text);
}

static int32_t failed(weir_builder *b)
{
    return weir__making_of(b)->failed;
}

/* ---- options -------------------------------------------------------------------------------------------------- */

static const json_t *option(weir_builder *b, const char *name, int32_t type)
{
    weir__making *const m = weir__making_of(b);
    for (int32_t i = 0; i < m->instance->module->option_count; i++) {
        const weir_option *const o = weir__option_at(m->instance->module, i);
        if (strcmp(o->name, name)) continue;
        if (o->type == type || type == 0) return json_object_get(m->instance->options, name);
        break;
    }
    char text[160];
    snprintf(text, sizeof text, "the plugin asked for option \"%.60s\" which its schema does not declare so",
             name);
    weir__refuse(m, text);
    return NULL;
}

static int64_t integer(weir_builder *b, const char *name)
{
    return (int64_t)json_integer_value(option(b, name, WEIR_INTEGER));
}

static double number(weir_builder *b, const char *name)
{
    return json_number_value(option(b, name, WEIR_NUMBER));
}

static int32_t boolean(weir_builder *b, const char *name)
{
    return json_is_true(option(b, name, WEIR_BOOLEAN));
}

static const char *string(weir_builder *b, const char *name)
{
    const char *const text = json_string_value(option(b, name, WEIR_STRING));
    return text ? text : "";
}

static int32_t integers(weir_builder *b, const char *name, int64_t *values, int32_t capacity)
{
    const json_t *const list = option(b, name, WEIR_INTEGERS);
    const int32_t count = (int32_t)json_array_size(list);
    for (int32_t i = 0; values && i < count && i < capacity; i++)
        values[i] = (int64_t)json_integer_value(json_array_get(list, (size_t)i));
    return count;
}

static int32_t numbers(weir_builder *b, const char *name, double *values, int32_t capacity)
{
    const json_t *const list = option(b, name, WEIR_NUMBERS);
    const int32_t count = (int32_t)json_array_size(list);
    for (int32_t i = 0; values && i < count && i < capacity; i++)
        values[i] = json_number_value(json_array_get(list, (size_t)i));
    return count;
}

static int32_t given(weir_builder *b, const char *name)
{
    return option(b, name, 0) != NULL;
}

/* ---- tensors -------------------------------------------------------------------------------------------------- */

static int good_name(const char *name)
{
    if (!name || !*name || strlen(name) > 100) return 0;
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '.')) return 0;
    return 1;
}

static char *joined(const char *path, const char *name)
{
    const size_t size = strlen(path) + strlen(name) + 2;
    char *const text = malloc(size);
    if (text) snprintf(text, size, "%s.%s", path, name);
    return text;
}

static weir__tensor *new_tensor(weir__net *net)
{
    if (net->tensor_count == net->tensor_capacity) {
        const int32_t capacity = net->tensor_capacity ? 2 * net->tensor_capacity : 64;
        weir__tensor *const tensors = realloc(net->tensors, (size_t)capacity * sizeof *tensors);
        if (!tensors) return NULL;
        net->tensors = tensors;
        net->tensor_capacity = capacity;
    }
    weir__tensor *const t = &net->tensors[net->tensor_count];
    *t = (weir__tensor){.linear = -1, .other_offset = -1};
    return t;
}

static int same_shape(const weir__tensor *t, int32_t rank, const int64_t *dims)
{
    return t->rank == rank && (!rank || memcmp(t->dims, dims, (size_t)rank * sizeof *dims) == 0);
}

/* The next tensor of a shared node, in the order in which the first node declared them. */
static weir_handle taken_over(weir__making *m, int32_t kind, int32_t rank, const int64_t *dims)
{
    if (m->share_next >= m->share->count)
        return weir__refuse(m, "shares with a module that declares fewer tensors"), -1;
    const weir_handle h = m->share->handles[m->share_next++];
    const weir__tensor *const t = &m->net->tensors[h];
    if (t->kind != kind || !same_shape(t, rank, dims))
        return weir__refuse(m, "shares with a module whose tensors have other shapes"), -1;
    return h;
}

static int remember_share(weir__making *m, weir_handle h)
{
    weir_handle *const handles =
        realloc(m->share->handles, ((size_t)m->share->count + 1) * sizeof *m->share->handles);
    if (!handles) return 0;
    m->share->handles = handles;
    m->share->handles[m->share->count++] = h;
    return 1;
}

static weir_handle declare(weir__making *m, const char *name, int32_t kind, int32_t rank, const int64_t *dims)
{
    int64_t count = 1;
    if (m->failed) return -1;
    if (!good_name(name)) return weir__refuse(m, "a tensor's name must be made of a-z, 0-9, _ and ."), -1;
    if (rank < 0 || rank > 4) return weir__refuse(m, "a tensor has 0 to 4 axes"), -1;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 0 || (dims[i] > 0 && count > ELEMENTS_MOST / dims[i]))
            return weir__refuse(m, "a tensor is too large"), -1;
        count *= dims[i];
    }
    const int shared = m->share && kind != WEIR__DERIVED;
    if (shared && !m->share_first) return taken_over(m, kind, rank, dims);
    weir__tensor *const t = new_tensor(m->net);
    if (!t || !(t->name = joined(m->request->path, name))) return weir__refuse(m, "out of memory"), -1;
    t->kind = kind;
    t->precision = m->instance->module->precision;
    t->rank = rank;
    if (rank) memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
    t->count = count;
    t->frozen = m->request->frozen;
    const weir_handle h = m->net->tensor_count++;
    for (int32_t i = m->instance->first_tensor; i < h; i++)
        if (strcmp(m->net->tensors[i].name, t->name) == 0)
            return weir__refuse(m, "declares a tensor's name twice"), -1;
    if (shared && !remember_share(m, h)) return weir__refuse(m, "out of memory"), -1;
    return h;
}

static int fresh(const weir__making *m)
{
    return !m->share || m->share_first;
}

static weir_handle start_with(weir__making *m, weir_handle h, const weir_init *init)
{
    if (h < 0 || !init || !fresh(m)) return h;
    weir__tensor *const t = &m->net->tensors[h];
    t->init = init->kind;
    t->a = init->a;
    t->b = init->b;
    if (init->kind != WEIR_INIT_VALUES || t->count == 0) return h;
    t->values = init->values ? malloc((size_t)t->count * sizeof *t->values) : NULL;
    if (!t->values) return weir__refuse(m, "initial values are missing, or no memory for them"), -1;
    memcpy(t->values, init->values, (size_t)t->count * sizeof *t->values);
    return h;
}

static weir_handle parameter(weir_builder *b, const char *name, int32_t rank, const int64_t *dims,
                             const weir_init *init, uint32_t flags)
{
    weir__making *const m = weir__making_of(b);
    const weir_handle h = start_with(m, declare(m, name, WEIR__PARAMETER, rank, dims), init);
    if (h >= 0) m->net->tensors[h].flags = flags;
    return h;
}

static weir_handle derived(weir_builder *b, const char *name, int32_t rank, const int64_t *dims)
{
    return declare(weir__making_of(b), name, WEIR__DERIVED, rank, dims);
}

static weir_handle buffer(weir_builder *b, const char *name, int32_t rank, const int64_t *dims,
                          const weir_init *init)
{
    weir__making *const m = weir__making_of(b);
    return start_with(m, declare(m, name, WEIR__BUFFER, rank, dims), init);
}

static weir_handle integer_buffer(weir_builder *b, const char *name, int32_t rank, const int64_t *dims,
                                  const int64_t *values)
{
    weir__making *const m = weir__making_of(b);
    const weir_handle h = declare(m, name, WEIR__BUFFER, rank, dims);
    if (h < 0 || !fresh(m)) return h;
    weir__tensor *const t = &m->net->tensors[h];
    t->integer = 1;
    if (!values || !t->count) return h;
    t->integers = malloc((size_t)t->count * sizeof *t->integers);
    if (!t->integers) return weir__refuse(m, "out of memory"), -1;
    memcpy(t->integers, values, (size_t)t->count * sizeof *t->integers);
    return h;
}

/* ---- linear objects --------------------------------------------------------------------------------------------- */

static weir_handle linear_tensor(weir__making *m, const weir_linear_spec *spec, const char *what,
                                 int32_t rank, const weir_init *init, uint32_t flags)
{
    char name[140];
    const int64_t dims[2] = {spec->out, spec->in};
    const double reach = spec->in > 0 ? 1 / sqrt((double)spec->in) : 0;
    const weir_init usual = {
        .struct_size = (uint32_t)sizeof usual, .kind = WEIR_INIT_UNIFORM, .a = -reach, .b = reach};
    snprintf(name, sizeof name, "%s.%s", spec->name ? spec->name : "", what);
    return parameter(&m->builder, name, rank, dims, init ? init : &usual, flags);
}

static weir_handle linear(weir_builder *b, const weir_linear_spec *spec)
{
    weir__making *const m = weir__making_of(b);
    weir__net *const net = m->net;
    if (m->failed) return -1;
    if (spec->in < 0 || spec->out < 0 || spec->activation < 0 || spec->activation > WEIR_ACTIVATION_SOFTPLUS)
        return weir__refuse(m, "a linear object has a wrong shape or activation"), -1;
    weir__linear **const linears =
        realloc(net->linears, ((size_t)net->linear_count + 1) * sizeof(weir__linear *));
    if (!linears) return weir__refuse(m, "out of memory"), -1;
    net->linears = linears;
    weir__linear *const made = calloc(1, sizeof *made);
    if (!made) return weir__refuse(m, "out of memory"), -1;
    const weir_handle handle = net->linear_count++;
    net->linears[handle] = made;
    if (weir__linear_init(made, spec, m->error)) return m->failed = 1, -1;
    made->weight = linear_tensor(m, spec, "weight", 2, spec->weight, 0);
    made->bias = spec->flags & WEIR_LINEAR_NO_BIAS
                     ? -1
                     : linear_tensor(m, spec, "bias", 1, spec->bias, WEIR_TENSOR_NO_DECAY);
    if (m->failed) return -1;
    net->tensors[made->weight].shared = net->tensors[made->weight].linear >= 0;
    net->tensors[made->weight].linear = handle;
    return handle;
}

/* ---- spaces ------------------------------------------------------------------------------------------------------- */

static void input_domain(weir_builder *b, int32_t lane, weir_domain *domain)
{
    const weir__space *const in = weir__making_of(b)->request->in;
    const uint32_t size = domain->struct_size;
    if (lane < 0 || lane >= in->features || size < sizeof *domain) return;
    *domain = in->lanes[lane];
    domain->struct_size = size;
}

static weir_status require(weir_builder *b, const weir_domain *domain)
{
    weir__making *const m = weir__making_of(b);
    char who[200];
    snprintf(who, sizeof who, "%s (%s)", m->request->path, m->instance->module->id);
    if (m->failed || weir__space_require(m->request->in, domain, who, m->error) ||
        weir__space_state(&m->instance->required, domain, m->error)) {
        m->failed = 1;
        return WEIR_INVALID;
    }
    return WEIR_OK;
}

static weir_status output(weir_builder *b, int32_t features, int32_t channels, int32_t height, int32_t width)
{
    weir__making *const m = weir__making_of(b);
    if (features < 1) return weir__refuse(m, "an output space needs at least one feature");
    if (channels && (int64_t)channels * height * width != features)
        return weir__refuse(m, "channels x height x width differs from the features");
    weir__space_clear(&m->out);
    if (weir__net_count_lanes(m->net, features, m->request->path, m->error) ||
        weir__space_init(&m->out, features, m->request->path, m->error))
        return m->failed = 1, WEIR_INVALID;
    m->out.channels = channels;
    m->out.height = height;
    m->out.width = width;
    return WEIR_OK;
}

static weir_status produce(weir_builder *b, const weir_domain *domain)
{
    weir__making *const m = weir__making_of(b);
    if (m->failed || weir__space_state(&m->out, domain, m->error)) return m->failed = 1, WEIR_INVALID;
    m->out_stated = 1;
    return WEIR_OK;
}

static weir_status params(weir_builder *b, int32_t count, const double *identity)
{
    weir__making *const m = weir__making_of(b);
    if (m->failed) return WEIR_INVALID;
    if (m->instance->module->kind != WEIR_UNIVARIATE || count < 0 || count > 4096)
        return weir__refuse(m, "only a univariate declares parameters per element, 0 to 4096 of them");
    m->instance->identity = calloc(count ? (size_t)count : 1, sizeof(double));
    if (!m->instance->identity) return weir__refuse(m, "out of memory");
    if (count) memcpy(m->instance->identity, identity, (size_t)count * sizeof(double));
    m->instance->own.params = count;
    return WEIR_OK;
}

static void traits(weir_builder *b, uint32_t flags)
{
    weir__making_of(b)->instance->own.traits |= flags;
}

static weir_status calls(weir_builder *b, const void *ops)
{
    weir__making *const m = weir__making_of(b);
    if (m->failed) return WEIR_INVALID;
    if (!ops) return weir__refuse(m, "the plugin gave no calls");
    m->instance->calls = ops;
    return WEIR_OK;
}

static const void *extension(const char *id)
{
    return strcmp(id, WEIR_FILES) == 0 ? weir__files() : NULL;
}

static const weir_builder table = {
    .struct_size = (uint32_t)sizeof(weir_builder),
    .integer = integer,
    .number = number,
    .boolean = boolean,
    .string = string,
    .integers = integers,
    .numbers = numbers,
    .given = given,
    .parameter = parameter,
    .derived = derived,
    .buffer = buffer,
    .integer_buffer = integer_buffer,
    .linear = linear,
    .input_domain = input_domain,
    .require = require,
    .output = output,
    .produce = produce,
    .params = params,
    .traits = traits,
    .fail = fail,
    .failed = failed,
    .extension = extension,
    .calls = calls,
};

void weir__builder_begin(weir__making *m)
{
    const weir__request *const request = m->request;
    m->builder = table;
    m->builder.precision = m->instance->module->precision;
    m->builder.host = m;
    m->builder.features = request->in->features;
    m->builder.context = m->child_context = request->context;
    m->builder.channels = request->in->channels;
    m->builder.height = request->in->height;
    m->builder.width = request->in->width;
    m->builder.network = request->network;
    m->builder.stream = m->instance->stream;
    m->builder.seed = m->net->seed;
}
