/* foreign - a univariate whose formulas are functions of an installed C library. */
#include "declaration.h"

#include <weir/files.h>
#include <weir/lanes.h>

#include <stdlib.h>

typedef struct foreign {
    declaration declaration;
    char digest[WEIR_SHA256_TEXT];
    weir_handle
        digest_handle; /* integer buffer [4]: the digest of the declaration that the model was made with */
    weir_univariate_ops ops;
} foreign;

static const char foreign_doc[] =
    "y = F(x), log|dy/dx| = log|F'(x)|, where F is a function of a library that is installed on this machine. A file on the\n"
    "plugin path declares it, sinh.foreign.json for declaration = \"sinh\":\n"
    "  { \"summary\": \"the hyperbolic sine of the C library\",\n"
    "    \"library\": \"libm.so.6\", \"signature\": \"d(d)\",\n"
    "    \"forward\": \"sinh\", \"inverse\": \"asinh\", \"derivative\": \"cosh\", \"second\": \"sinh\" }\n"
    "library: as the dynamic loader seeks it, an absolute path, or ./NAME beside the file. Each function is a symbol, or an\n"
    "object { symbol, library, signature, arguments } for what differs. signature: what it gives and takes, d double, f float,\n"
    "i int, l long; where it takes more than x, \"arguments\" lists all of them, such as [\"x\", 3]. domain and codomain, [lower,\n"
    "upper] with null for infinite, say where x and y live, if not on the whole line. F must be strictly monotone there, and\n"
    "safe to be called by several threads at once. No parameters per element.\n"
    "Without inverse the host finds roots. Without second, F'' is a difference of F' of fourth order over a thousandth of\n"
    "`scale` (1 where the declaration does not say: how far x goes before F bends), right to some 1e-12; `weir layers foreign`\n"
    "says so, and lists the declarations that there are.\n"
    "A model names the declaration and keeps its SHA-256: it never names a library or a symbol, and is refused where the\n"
    "declaration is another one. Nothing but a declaration in a plugin folder ever opens a library.\n"
    "Rows outside the domain, or whose result is not finite, are discarded. The functions are called in double in models of\n"
    "either precision; foreign_float is for those of float. errno and floating-point settings are kept.\n"
    "Refused: a library that is not there or is for another machine, a symbol that it lacks, a declaration that is not\n"
    "understood. weir check foreign --with '{\"options\": {\"declaration\": \"sinh\"}}' tells whether the derivatives are true.\n"
    "Cost: two calls of the library a value in forward, two or six in its VJP. Source: elementary.";

static const weir_option foreign_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "declaration",
     .summary = "NAME of the file NAME.foreign.json in a plugin folder"},
};

/* ---- F and its derivatives, in double --------------------------------------------------------------------------- */

static const foreign_function *function_of(const foreign *self, int which)
{
    return &self->declaration.functions[which];
}

static double *take_doubles(weir_frame *frame, int32_t n)
{
    return (double *)weir_take(frame, (n + 1) * (int64_t)sizeof(double));
}

/* Values of an interval, as doubles; NaN outside. */
static void widen(const double ends[2], int32_t n, const weir_real *from, double *to)
{
    for (int32_t i = 0; i < n; i++) {
        const double value = (double)from[i];
        to[i] = value >= ends[0] && value <= ends[1] ? value : NAN;
    }
}

/* Places of a difference of fourth order, and what it weighs them with, in units of the step. */
typedef struct stencil {
    int32_t count;
    double at[5], weight[5];
} stencil;

static const stencil middle = {4, {-2, -1, 1, 2}, {1 / 12.0, -2 / 3.0, 2 / 3.0, -1 / 12.0}};
static const stencil ahead = {5, {0, 1, 2, 3, 4}, {-25 / 12.0, 4, -3, 4 / 3.0, -1 / 4.0}};

/* F'' at one place. Near an end of the domain the difference is taken on the side that lies inside. */
static double second_at(const foreign *self, double x)
{
    const declaration *const d = &self->declaration;
    const double usual = fmax(1e-3 * d->scale, fabs(x) * 0x1p-30);
    const double below = x - d->domain[0], above = d->domain[1] - x, far = fmax(below, above);
    const double step =
        fmin(ldexp(1, ilogb(usual)), far / 4); /* a power of 2: x and the step add up exactly */
    const stencil *const s = below >= 2 * step && above >= 2 * step ? &middle : &ahead;
    const double side = s == &ahead && above < below ? -1 : 1;
    double at[5], value[5], sum = 0;
    for (int32_t k = 0; k < s->count; k++) at[k] = x + side * step * s->at[k];
    WEIR_NAME(foreign_evaluate)(function_of(self, DERIVATIVE), s->count, at, value);
    for (int32_t k = 0; k < s->count; k++) sum += s->weight[k] * value[k];
    return side * sum / step;
}

/* slope = F'(x), bend = F''(x) / F'(x) */
static void bend_at(const foreign *self, int32_t n, const double *x, double *slope, double *bend)
{
    const foreign_function *const second = function_of(self, SECOND);
    WEIR_NAME(foreign_evaluate)(function_of(self, DERIVATIVE), n, x, slope);
    if (second->count) WEIR_NAME(foreign_evaluate)(second, n, x, bend);
    for (int32_t i = 0; i < n; i++) bend[i] = (second->count ? bend[i] : second_at(self, x[i])) / slope[i];
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static weir_status foreign_lane_forward(const void *module, weir_frame *frame, int32_t n, const weir_real *x,
                                        const weir_real *p, int64_t s, weir_real *y, weir_real *log_det)
{
    const foreign *const self = module;
    double *const at = take_doubles(frame, n), *const value = take_doubles(frame, n);
    weir_real *const all = weir_take_lane(frame);
    (void)p, (void)s;
    if (!at || !value || !all) return WEIR_ERROR;
    widen(self->declaration.domain, n, x, at);
    WEIR_NAME(foreign_evaluate)(function_of(self, FORWARD), n, at, value);
    for (int32_t i = 0; i < n; i++) y[i] = WEIR_C(value[i] + (at[i] - at[i]));
    WEIR_NAME(foreign_evaluate)(function_of(self, DERIVATIVE), n, at, value);
    for (int32_t i = 0; i < n; i++) {
        const weir_real volume = WEIR_C(log(fabs(value[i])));
        log_det[i] += volume;
        all[i] = (volume - volume) + (y[i] - y[i]);
    }
    return weir_discard_unless_finite(frame, all);
}

static weir_status foreign_lane_inverse(const void *module, weir_frame *frame, int32_t n, const weir_real *y,
                                        const weir_real *p, int64_t s, weir_real *x, weir_real *log_det)
{
    const foreign *const self = module;
    double *const at = take_doubles(frame, n), *const value = take_doubles(frame, n);
    weir_real *const all = weir_take_lane(frame);
    (void)p, (void)s;
    if (!at || !value || !all) return WEIR_ERROR;
    widen(self->declaration.codomain, n, y, value);
    WEIR_NAME(foreign_evaluate)(function_of(self, INVERSE), n, value, at);
    for (int32_t i = 0; i < n; i++) x[i] = WEIR_C(at[i] + (value[i] - value[i]));
    WEIR_NAME(foreign_evaluate)(function_of(self, DERIVATIVE), n, at, value);
    for (int32_t i = 0; i < n; i++) {
        const weir_real volume = WEIR_C(log(fabs(value[i])));
        log_det[i] -= volume;
        all[i] = (volume - volume) + (x[i] - x[i]);
    }
    return weir_discard_unless_finite(frame, all);
}

static weir_status foreign_lane_forward_vjp(const void *module, weir_frame *frame, int32_t n,
                                            const weir_real *x, const weir_real *p, int64_t s,
                                            const weir_real *y, const weir_real *y_bar,
                                            const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
{
    const foreign *const self = module;
    double *const at = take_doubles(frame, n), *const slope = take_doubles(frame, n);
    double *const bend = take_doubles(frame, n);
    (void)p, (void)s, (void)y, (void)p_bar;
    if (!at || !slope || !bend) return WEIR_ERROR;
    widen(self->declaration.domain, n, x, at);
    bend_at(self, n, at, slope, bend);
    for (int32_t i = 0; i < n; i++)
        x_bar[i] = WEIR_C((double)y_bar[i] * slope[i] + (double)log_det_bar[i] * bend[i]);
    return WEIR_OK;
}

/* dx/dy = 1/F'(x), and log|dx/dy| = -log|F'(x)|. */
static weir_status foreign_lane_inverse_vjp(const void *module, weir_frame *frame, int32_t n,
                                            const weir_real *y, const weir_real *p, int64_t s,
                                            const weir_real *x, const weir_real *x_bar,
                                            const weir_real *log_det_bar, weir_real *y_bar, weir_real *p_bar)
{
    const foreign *const self = module;
    double *const at = take_doubles(frame, n), *const slope = take_doubles(frame, n);
    double *const bend = take_doubles(frame, n);
    (void)p, (void)s, (void)y, (void)p_bar;
    if (!at || !slope || !bend) return WEIR_ERROR;
    widen(self->declaration.domain, n, x, at);
    bend_at(self, n, at, slope, bend);
    for (int32_t i = 0; i < n; i++)
        y_bar[i] = WEIR_C(((double)x_bar[i] - (double)log_det_bar[i] * bend[i]) / slope[i]);
    return WEIR_OK;
}

WEIR_UNIVARIATE_LANES(foreign)

/* ---- the digest: a model is of one declaration ------------------------------------------------------------------ */

static void digest_words(const char *digest, int64_t words[4])
{
    for (int32_t w = 0; w < 4; w++) {
        uint64_t word = 0;
        for (int32_t i = 0; i < 16; i++) {
            const char c = digest[16 * w + i];
            word = word << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        memcpy(&words[w], &word, sizeof word);
    }
}

static weir_status foreign_prepare(const void *module, weir_frame *frame) WEIR_NOEXCEPT
{
    const foreign *const self = module;
    const int64_t *const saved = weir_integers(frame, self->digest_handle);
    int64_t now[4];
    digest_words(self->digest, now);
    if (memcmp(now, saved, sizeof now) == 0) return WEIR_OK;
    return weir_failf(frame, WEIR_INVALID,
                      "%.100s is not the declaration that the model was made with (sha256 %.12s..., it was "
                      "%012llx...): put that one back",
                      self->declaration.name, self->digest, (unsigned long long)((uint64_t)saved[0] >> 16));
}

static weir_status foreign_prepare_vjp(const void *module, weir_frame *frame) WEIR_NOEXCEPT
{
    (void)module, (void)frame;
    return WEIR_OK;
}

/* ---- creation ----------------------------------------------------------------------------------------------------- */

/* What the module's functions take and give. */
static char type_of(int single)
{
    return single ? 'f' : 'd';
}

static weir_status find(foreign *made, weir_builder *build, const weir_files *files)
{
    char name[200];
    const char *const id = build->string(build, "declaration");
    const int written = snprintf(name, sizeof name, "%s" FOREIGN_ENDING, id);
    if (written <= 0 || (size_t)written >= sizeof name)
        return weir_refuse(build, "\"%.40s...\" is no name of a declaration: it is too long", id);
    return files->find(build, name, made->declaration.path, (int64_t)sizeof made->declaration.path);
}

static weir_status open_declaration(foreign *made, weir_builder *build, int single)
{
    char why[250];
    const weir_files *const files = (const weir_files *)build->extension(WEIR_FILES);
    if (!files || !WEIR_HAS(build, calls))
        return weir_refuse(build, "this host offers no %s; use a newer one", WEIR_FILES);
    if (find(made, build, files) != WEIR_OK) return WEIR_INVALID;
    if (!WEIR_NAME(declaration_open)(&made->declaration, why, sizeof why))
        return weir_refuse(build, "%s", why);
    if (made->declaration.type != type_of(single))
        return weir_refuse(build, "%s declares functions of %s: use the module %s", made->declaration.name,
                           single ? "double" : "float", single ? "foreign" : "foreign_float");
    files->sha256(made->declaration.text, (int64_t)made->declaration.size, made->digest);
    return WEIR_OK;
}

static weir_status declare(foreign *made, weir_builder *build)
{
    static const int64_t words[1] = {4};
    const declaration *const d = &made->declaration;
    int64_t digest[4];
    digest_words(made->digest, digest);
    made->digest_handle = build->integer_buffer(build, "declaration.sha256", 1, words, digest);
    if (made->digest_handle < 0) return WEIR_INVALID;
    if (weir_fixed_univariate(build, d->domain[0], d->domain[1], d->codomain[0], d->codomain[1]) != WEIR_OK)
        return WEIR_INVALID;
    made->ops = foreign_ops;
    if (!d->functions[INVERSE].count) made->ops.inverse = NULL;
    if (!d->functions[INVERSE].count) made->ops.inverse_vjp = NULL;
    return build->calls(build, &made->ops);
}

static void foreign_destroy(void *self) WEIR_NOEXCEPT
{
    foreign *const made = self;
    WEIR_NAME(declaration_close)(&made->declaration);
    free(made);
}

static weir_status create(weir_builder *build, int single, void **self)
{
    foreign *const made = calloc(1, sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    weir_status status = open_declaration(made, build, single);
    if (status == WEIR_OK) status = declare(made, build);
    if (status == WEIR_OK)
        *self = made;
    else
        foreign_destroy(made);
    return status;
}

static weir_status foreign_create(weir_builder *build, void **self) WEIR_NOEXCEPT
{
    return create(build, 0, self);
}

/* ---- what weir layers says of a declaration ----------------------------------------------------------------------- */

static void write_account(const declaration *d, char *text, size_t room)
{
    const foreign_function *const forward = &d->functions[FORWARD];
    snprintf(text, room, "%s: %s of %s%s%s", d->summary, forward->symbol, forward->library,
             d->functions[INVERSE].count ? "" : "; inverse: roots found by the host",
             d->functions[SECOND].count ? "" : "; second derivative: differences of the first");
}

static weir_status describe(const char *path, int single, char *text, int64_t capacity)
{
    weir_status status = WEIR_INVALID;
    foreign *const made = calloc(1, sizeof *made);
    const size_t room = capacity > 0 ? (size_t)capacity : 0;
    if (!made || strlen(path) >= sizeof made->declaration.path) {
        snprintf(text, room, "out of memory, or a path that is too long");
        free(made);
        return WEIR_INVALID;
    }
    memcpy(made->declaration.path, path, strlen(path) + 1);
    const int good = WEIR_NAME(declaration_open)(&made->declaration, text, room);
    if (made->declaration.type && made->declaration.type != type_of(single))
        status = WEIR_UNSUPPORTED;
    else if (good)
        status = WEIR_OK;
    if (status == WEIR_OK) write_account(&made->declaration, text, room);
    foreign_destroy(made);
    return status;
}

static weir_status foreign_describe(const char *path, char *text, int64_t capacity) WEIR_NOEXCEPT
{
    return describe(path, 0, text, capacity);
}

static const weir_module foreign_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "foreign",
    .version = "1.0.0",
    .summary = "y = F(x), F a function of an installed C library that a declaration names",
    .doc = foreign_doc,
    WEIR_OPTIONS(foreign_options),
    .create = foreign_create,
    .destroy = foreign_destroy,
    .prepare = foreign_prepare,
    .prepare_vjp = foreign_prepare_vjp,
    .ops = &foreign_ops,
    .file_ending = FOREIGN_ENDING,
    .describe_file = foreign_describe,
};

#if WEIR_REAL == 32

static const char foreign_float_doc[] =
    "y = F(x) as foreign has it, with functions of float: signature \"f(f)\", such as sinhf. In f32 only; in a model in f64 the\n"
    "host converts around it. Cost: as foreign. Source: elementary.";

static weir_status foreign_float_create(weir_builder *build, void **self) WEIR_NOEXCEPT
{
    return create(build, 1, self);
}

static weir_status foreign_float_describe(const char *path, char *text, int64_t capacity) WEIR_NOEXCEPT
{
    return describe(path, 1, text, capacity);
}

static const weir_module foreign_float_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_UNIVARIATE,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "foreign_float",
    .version = "1.0.0",
    .summary = "y = F(x), F a function of float of an installed C library that a declaration names",
    .doc = foreign_float_doc,
    WEIR_OPTIONS(foreign_options),
    .create = foreign_float_create,
    .destroy = foreign_destroy,
    .prepare = foreign_prepare,
    .prepare_vjp = foreign_prepare_vjp,
    .ops = &foreign_ops,
    .file_ending = FOREIGN_ENDING,
    .describe_file = foreign_float_describe,
};

WEIR_PLUGIN(&foreign_module, &foreign_float_module);

#else

WEIR_PLUGIN(&foreign_module);

#endif
