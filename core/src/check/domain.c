/* domain.c - the spaces a bijection states: what it gives lies in them, and what lies outside is turned away. */
#include "check/chart.h"
#include "check/checks.h"

#include <math.h>

#define ROWS 16

static const weir__manner plain = {.tape = 0};

/* ---- values lie where they should ------------------------------------------------------------------------------------ */

/* A block's values in one row. Lanes of a univariate are blocks of their own. */
typedef struct block {
    const weir_domain *domain;
    weir__field *field;
    int32_t first, count, row;
} block;

static double at(const block *b, int32_t lane)
{
    return weir__field_get(b->field, b->first + lane, b->row);
}

static void put(const block *b, int32_t lane, double value)
{
    weir__field_set(b->field, b->first + lane, b->row, value);
}

static int32_t triangle(int32_t side)
{
    return side * (side + 1) / 2;
}

static int32_t side_of(const block *b)
{
    int32_t side = 0;
    while (triangle(side + 1) <= b->count) side++;
    return side;
}

static double squares(const block *b, int32_t first, int32_t count)
{
    double sum = 0;
    for (int32_t i = first; i < first + count; i++) sum += at(b, i) * at(b, i);
    return sum;
}

/* The least pivot of a Cholesky decomposition, over its diagonal entry; the triangle is at most 64 numbers, so side < 11. */
static double least_pivot(const block *b)
{
    double factor[66] = {0}, least = INFINITY;
    for (int32_t i = 0; i < side_of(b); i++)
        for (int32_t j = 0; j <= i; j++) {
            double *const own = factor + triangle(i), *const other = factor + triangle(j),
                          sum = at(b, triangle(i) + j);
            for (int32_t k = 0; k < j; k++) sum -= own[k] * other[k];
            own[j] = j < i ? sum / other[j] : sqrt(sum);
            if (j == i) least = fmin(least, sum / at(b, triangle(i) + i));
        }
    return isnan(least) ? -INFINITY : least;
}

/* How far the values miss the domain; its rounded border counts as within. */
static double miss(const block *b)
{
    const weir_domain *const d = b->domain;
    const double x = at(b, 0);
    double worst = 0, sum = 0;
    switch (d->kind) {
    case WEIR_DOMAIN_INTERVAL:
    case WEIR_DOMAIN_CIRCLE:
        return fmax(fmax(0, isfinite(d->lower) ? (d->lower - x) / (1 + fabs(d->lower)) : 0),
                    isfinite(d->upper) ? (x - d->upper) / (1 + fabs(d->upper)) : 0);
    case WEIR_DOMAIN_INTEGER:
        return x == floor(x) && x >= d->lower && x <= d->upper ? 0 : INFINITY;
    case WEIR_DOMAIN_SIMPLEX:
        for (int32_t i = 0; i < b->count; i++) {
            worst = fmax(worst, -at(b, i));
            sum += at(b, i);
        }
        return fmax(worst, fabs(sum - 1));
    case WEIR_DOMAIN_ORDERED:
        for (int32_t i = 1; i < b->count; i++) worst = fmax(worst, at(b, i - 1) - at(b, i));
        return worst;
    case WEIR_DOMAIN_PSD:
        return fmax(0, -least_pivot(b));
    case WEIR_DOMAIN_SPHERE:
        return fabs(squares(b, 0, b->count) - 1);
    case WEIR_DOMAIN_CORRELATION:
        for (int32_t i = 0; i < side_of(b); i++)
            worst = fmax(worst, fmax(fabs(squares(b, triangle(i), i + 1) - 1), -at(b, triangle(i) + i)));
        return worst;
    default:
        return 0;
    }
}

/* The block that starts at lane f: count 0 when f lies within one, or nothing is said. */
static block block_at(const weir__subject *subject, const weir__map *map, weir__argument which,
                      weir__field *field, int32_t f)
{
    const weir_domain *const d = weir__lane_domain(subject, map, which, f);
    block b = {.domain = d, .field = field, .first = f};
    if (!d || d->kind == WEIR_DOMAIN_UNSTATED) return b;
    const int joint = d->kind >= WEIR_DOMAIN_SIMPLEX;
    b.count = !joint ? 1 : d->first == f ? d->count : 0;
    return b;
}

void weir__check_codomain(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, call), map->name)) return;
    for (int32_t f = 0; f < map->size[WEIR__Y]; f++) {
        block b = block_at(subject, map, WEIR__Y, &call->field[WEIR__Y], f);
        for (b.row = 0; b.count && b.row < ROWS; b.row++) weir__measure(verdict, miss(&b));
        if (!(verdict->figure <= verdict->limit))
            weir__remark(verdict, "results leave the domain stated for lane %d", (int)f + 1);
    }
}

/* ---- values from outside are turned away ------------------------------------------------------------------------------ */

#define WAYS_OUT 2

static int leave_interval(const block *b, int way)
{
    const weir_domain *const d = b->domain;
    const double span = isfinite(d->upper - d->lower) ? d->upper - d->lower + 1 : 1;
    if (!isfinite(way ? d->upper : d->lower)) return 0;
    put(b, 0, way ? d->upper + span : d->lower - span);
    return 1;
}

static void scale(const block *b, int32_t first, int32_t count, double by)
{
    for (int32_t i = first; i < first + count; i++) put(b, i, by * at(b, i));
}

/* Moves a row out of the domain; false when there is no such way. A circle has none: angles may be wrapped. */
static int leave(const block *b, int way)
{
    const int32_t last = b->count - 1, side = side_of(b), diagonal = triangle(side) - 1;
    const double first = at(b, 0);
    switch (b->domain->kind) {
    case WEIR_DOMAIN_INTERVAL:
    case WEIR_DOMAIN_INTEGER:
        return leave_interval(b, way);
    case WEIR_DOMAIN_SIMPLEX:
        if (way == 0) return scale(b, 0, b->count, 1.5), 1;
        put(b, 0, -first);
        put(b, last, at(b, last) + 2 * first);
        return 1;
    case WEIR_DOMAIN_ORDERED:
        if (last < 1) return 0;
        put(b, 0, way ? at(b, last) : at(b, 1));
        put(b, way ? last : 1, first);
        return 1;
    case WEIR_DOMAIN_PSD:
        if (way && side < 2) return 0;
        put(b, way ? 1 : diagonal, way ? 1.5 * sqrt(first * at(b, 2)) : -at(b, diagonal));
        return 1;
    case WEIR_DOMAIN_SPHERE:
        return scale(b, 0, b->count, way ? 0.5 : 1.5), 1;
    case WEIR_DOMAIN_CORRELATION:
        if (way == 0) return scale(b, triangle(side - 1), side, 0.5), 1;
        put(b, diagonal, -at(b, diagonal));
        return 1;
    default:
        return 0;
    }
}

static int turned_away(const weir__call *call, const weir_frame *frame, int32_t row)
{
    return (frame->discard[row >> 6] >> (row & 63) & 1) ||
           !weir__field_row_finite(&call->field[WEIR__Y], row) ||
           !weir__field_row_finite(&call->field[WEIR__LANE], row);
}

/* Odd rows leave by way of lane f, even ones stay. */
static void check_way(weir__subject *subject, const weir__map *map, const weir__call *good, int32_t f,
                      int way, weir__verdict *verdict)
{
    weir__call *const call = weir__call_like(subject, map, good, WEIR__PLAIN);
    if (!weir__have(verdict, call)) return;
    block b = block_at(subject, map, WEIR__X, &call->field[WEIR__X], f);
    for (b.row = 1; b.count && b.row < ROWS; b.row += 2)
        if (!leave(&b, way)) return;
    if (!b.count) return;
    weir_frame *const frame = weir__call_frame(subject, call, &plain);
    if (!weir__have(verdict, frame)) return;
    const weir_status status = weir__call_run(subject, map, call, frame);
    if (status != WEIR_DISCARD && !weir__served(verdict, subject, status, map->name)) return;
    for (int32_t r = 0; r < ROWS; r++)
        if (turned_away(call, frame, r) != (r & 1))
            weir__object(verdict, "lane %d%s", (int)f + 1,
                         r & 1 ? ": a point outside its domain gets a finite answer"
                               : ": a good row is lost with one outside its domain");
}

void weir__check_outside(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    if (map->source &&
        subject->child->traits & WEIR_TRAIT_INVERSE_LOSSY) { /* it rounds to what it can hold */
        weir__skip(verdict);
        return;
    }
    weir__call *const good = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, good)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, good), map->name)) return;
    for (int32_t f = 0; f < map->size[WEIR__X]; f++)
        for (int way = 0; way < WAYS_OUT; way++) check_way(subject, map, good, f, way, verdict);
}

/* ---- iterations that come to no end are owned up to ------------------------------------------------------------------ */

#define WIDTH 16

/* What a module reports of its iterations, with room around it that is not its own. */
typedef struct ledger {
    int32_t iterations[WIDTH + 16];
    double residual[WIDTH + 16];
} ledger;

static double largest(const weir__field *field, int32_t row)
{
    double most = 0;
    for (int32_t f = 0; f < field->tile.features; f++)
        most = fmax(most, fabs(weir__field_get(field, f, row)));
    return most;
}

static void audit(const ledger *book, const weir__call *call, const weir_frame *frame, weir__verdict *verdict)
{
    for (int32_t i = WIDTH; i < WIDTH + 16; i++)
        if (book->iterations[i] != -7 || book->residual[i] != -7)
            weir__object(verdict, "the report is written beyond its rows");
    for (int32_t r = 0; r < ROWS; r++) {
        if (book->iterations[r] < 0)
            weir__object(verdict, "row %d took %d iterations", r, book->iterations[r]);
        if (!(frame->discard[0] >> r & 1))
            weir__measure(verdict, book->residual[r] / (1 + largest(&call->field[WEIR__X], r)));
    }
    if (!(verdict->figure <= verdict->limit))
        weir__remark(verdict, "a row whose iterations left this residual is not discarded");
}

void weir__check_convergence(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    ledger book;
    weir_report report = {
        .struct_size = (uint32_t)sizeof report, .iterations = book.iterations, .residual = book.residual};
    map = weir__subject_map(subject, "inverse");
    if (!map || !(subject->child->traits & WEIR_TRAIT_INVERSE_NUMERIC)) {
        weir__skip(verdict);
        return;
    }
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    weir_frame *const frame = weir__call_frame(subject, call, &plain);
    if (!weir__have(verdict, frame)) return;
    for (int32_t i = 0; i < WIDTH + 16; i++) {
        book.iterations[i] = i < WIDTH ? 0 : -7;
        book.residual[i] = i < WIDTH ? 0 : -7;
    }
    frame->report = &report;
    const weir_status status = weir__call_run(subject, map, call, frame);
    frame->report = NULL;
    if (status == WEIR_DISCARD || weir__served(verdict, subject, status, map->name))
        audit(&book, call, frame, verdict);
}
