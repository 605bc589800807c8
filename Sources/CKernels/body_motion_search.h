/* Inverse search: a patch of this frame is laid over the other one, and moved down the slope of their difference, whose
   steepness is that of the patch itself and so is computed once. Positions are in 1/32 pixel, levels in 1/16. */

/* Rows of a patch: vectors of a fixed length, which need no memory between steps. */
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef int32_t i32x8 __attribute__((vector_size(32)));

typedef struct {
    i16x8 level[MOVIE_PATCH];
    i32x8 across[MOVIE_PATCH], down[MOVIE_PATCH]; /* slopes: twice the derivative */
    float mean_across, mean_down;
    float variance;
    float xx, xy, yy; /* inverse of the matrix of slopes, times 8: the means are taken out */
} patch;

#define PATCH_PIXELS 64.0f

MOVIE_INLINE u16x8 eight_at(const uint8_t *p) {
    u8x8 bytes;
    memcpy(&bytes, p, 8);
    return __builtin_convertvector(bytes, u16x8);
}

/* By address, here and below: a vector that the processor lacks has no agreed way to be passed. */
MOVIE_INLINE int32_t total_of(const i32x8 *v) {
    const i32x8 t = *v;
    return ((t[0] + t[1]) + (t[2] + t[3])) + ((t[4] + t[5]) + (t[6] + t[7]));
}

typedef struct {
    float u, v, error;
    float du, dv; /* the step from there */
} match;

/* `noise`: added to the diagonal, so that flat patches stay where they are. */
MOVIE_INLINE void patch_at(patch *t, const uint8_t *p, ptrdiff_t stride, float noise) {
    i32x8 x = {0}, y = {0}, xx = {0}, xy = {0}, yy = {0}, sum = {0}, squares = {0};
    for (int r = 0; r < MOVIE_PATCH; r++, p += stride) {
        const i16x8 across = (i16x8)(eight_at(p + 1) - eight_at(p - 1));
        const i16x8 down = (i16x8)(eight_at(p + stride) - eight_at(p - stride));
        const i32x8 a = __builtin_convertvector(across, i32x8), d = __builtin_convertvector(down, i32x8);
        t->level[r] = (i16x8)(eight_at(p) << 4), t->across[r] = a, t->down[r] = d;
        const i32x8 here = __builtin_convertvector(eight_at(p), i32x8);
        x += a, y += d, xx += a * a, xy += a * d, yy += d * d, sum += here, squares += here * here;
    }
    const float total = (float)total_of(&sum);
    t->variance = ((float)total_of(&squares) - total * total / PATCH_PIXELS) / PATCH_PIXELS;
    const float n = PATCH_PIXELS, ridge = n * 2.0f * noise + 64.0f;
    const float sx = (float)total_of(&x), sy = (float)total_of(&y);
    t->mean_across = sx / n, t->mean_down = sy / n;
    const float a = (float)total_of(&xx) - t->mean_across * sx + ridge;
    const float c = (float)total_of(&yy) - t->mean_down * sy + ridge;
    const float b = (float)total_of(&xy) - t->mean_across * sy;
    const float scale = 0.125f / (a * c - b * b);
    t->xx = c * scale, t->xy = -b * scale, t->yy = a * scale;
}

/* A position between pixels, in 1/32 pixel. */
typedef struct {
    const uint8_t *pixels;
    ptrdiff_t stride;
    uint16_t fx, fy;
} spot;

MOVIE_INLINE u16x8 between_columns(const uint8_t *p, uint16_t fx) {
    return (eight_at(p) * (uint16_t)(32 - fx) + eight_at(p + 1) * fx + 2) >> 2;
}

/* 8 pixels of a row at a spot, in 1/16 level, from the rows above and below. */
MOVIE_INLINE i16x8 between_rows(u16x8 above, u16x8 below, uint16_t fy) {
    return (i16x8)((above * (uint16_t)(32 - fy) + below * fy + 8) >> 4);
}

MOVIE_INLINE float within(float low, float high, float x) { return x < low ? low : x > high ? high : x; }

/* Where pixel `x` moved by `by` lies in a row of `size`, in 1/32 pixel: at most 16 pixels outside. */
MOVIE_INLINE int32_t place_at(size_t x, float by, size_t size) {
    return (int32_t)__builtin_rintf(within(-16.0f, (float)size + 7.0f, (float)x + by) * 32.0f);
}

/* Where the patch that begins at (x, y) lies in the plane when it is moved; `px` and `py`: that, in 1/32 pixel. */
MOVIE_INLINE spot spot_at(const movie_plane *p, size_t x, size_t y, float u, float v, int32_t *px, int32_t *py) {
    *px = place_at(x, u, p->width), *py = place_at(y, v, p->height);
    const spot s = {p->pixels + (*py >> 5) * (ptrdiff_t)p->stride + (*px >> 5), (ptrdiff_t)p->stride,
                    (uint16_t)(*px & 31), (uint16_t)(*py & 31)};
    return s;
}

/* How well the patch at (x, y) matches at (u, v), and the step from there. The mean difference counts a quarter: light
   changes, but a flat patch has nothing else. */
MOVIE_INLINE match match_at(const patch *t, const movie_plane *then, size_t x, size_t y, float u, float v) {
    int32_t px, py;
    const spot s = spot_at(then, x, y, u, v, &px, &py);
    i32x8 sum = {0}, squares = {0}, dx = {0}, dy = {0};
    u16x8 above = between_columns(s.pixels, s.fx);
    for (int r = 0; r < MOVIE_PATCH; r++) {
        const u16x8 below = between_columns(s.pixels + (r + 1) * s.stride, s.fx);
        const i32x8 d = __builtin_convertvector(between_rows(above, below, s.fy) - t->level[r], i32x8);
        sum += d, squares += d * d, dx += d * t->across[r], dy += d * t->down[r];
        above = below;
    }
    match m;
    m.u = (float)px * 0.03125f - (float)x, m.v = (float)py * 0.03125f - (float)y;
    const float total = (float)total_of(&sum), n = PATCH_PIXELS;
    m.error = ((float)total_of(&squares) - 0.75f * total * total / n) / (n * 256.0f);
    const float bx = (float)total_of(&dx) - t->mean_across * total, by = (float)total_of(&dy) - t->mean_down * total;
    m.du = -(t->xx * bx + t->xy * by), m.dv = -(t->xy * bx + t->yy * by);
    return m;
}

MOVIE_INLINE void better(match *best, match other) {
    if (other.error < best->error) *best = other;
}

MOVIE_INLINE int is_far(const match *m, float u, float v, float limit) {
    const float du = u - m->u, dv = v - m->v;
    return du * du + dv * dv > limit * limit;
}

/* What the four nearest patches of the coarser level say, mixed by how well they match; tries each where they differ. */
MOVIE_INLINE match from_coarse(const patch *t, const movie_search *s, size_t column, size_t row) {
    const movie_vectors *c = s->coarse;
    const size_t x0 = column ? (column - 1) / 2 : 0, y0 = row ? (row - 1) / 2 : 0;
    const size_t x1 = column % 2 || !column ? x0 : x0 + 1, y1 = row % 2 || !row ? y0 : y0 + 1;
    const size_t lastx = c->columns - 1, lasty = c->rows - 1;
    const size_t xs[2] = {x0 < lastx ? x0 : lastx, x1 < lastx ? x1 : lastx};
    const size_t ys[2] = {y0 < lasty ? y0 : lasty, y1 < lasty ? y1 : lasty};
    float u[4], v[4], total = 0, mu = 0, mv = 0;
    for (int i = 0; i < 4; i++) {
        const size_t at = ys[i / 2] * c->columns + xs[i % 2];
        const float weight = 1.0f / (c->error[at] + 1.0f);
        u[i] = 2.0f * c->u[at], v[i] = 2.0f * c->v[at];
        mu += weight * u[i], mv += weight * v[i], total += weight;
    }
    const size_t x = column * MOVIE_PATCH_STEP, y = row * MOVIE_PATCH_STEP;
    match best = match_at(t, s->then, x, y, mu / total, mv / total);
    for (int i = 0; i < 4; i++)
        if (is_far(&best, u[i], v[i], 1.0f)) better(&best, match_at(t, s->then, x, y, u[i], v[i]));
    return best;
}

/* What is expected of the patch that covers the same place. */
MOVIE_INLINE void try_guess(match *best, const patch *t, const movie_search *s, size_t column, size_t row) {
    const movie_vectors *g = s->guess;
    const float inverse = 1.0f / s->guess_scale;
    const float cx = ((float)(column * MOVIE_PATCH_STEP) + 4.0f) * inverse, cy = ((float)(row * MOVIE_PATCH_STEP) + 4.0f) * inverse;
    const float gx = within(0, (float)(g->columns - 1), cx * 0.25f - 1.0f), gy = within(0, (float)(g->rows - 1), cy * 0.25f - 1.0f);
    const size_t at = (size_t)(gy + 0.5f) * g->columns + (size_t)(gx + 0.5f);
    const float u = g->u[at] * s->guess_scale, v = g->v[at] * s->guess_scale;
    if (is_far(best, u, v, 0.25f))
        better(best, match_at(t, s->then, column * MOVIE_PATCH_STEP, row * MOVIE_PATCH_STEP, u, v));
}

MOVIE_INLINE void try_neighbour(match *best, const patch *t, const movie_search *s, size_t column, size_t row, size_t at) {
    const float u = s->result->u[at], v = s->result->v[at];
    if (is_far(best, u, v, 1.0f))
        better(best, match_at(t, s->then, column * MOVIE_PATCH_STEP, row * MOVIE_PATCH_STEP, u, v));
}

/* Down the slope while it goes down. */
MOVIE_INLINE void descend(match *best, const patch *t, const movie_search *s, size_t x, size_t y) {
    for (int step = 0; step < s->steps; step++) {
        const float length = best->du * best->du + best->dv * best->dv;
        if (length < 0.0004f) return;
        if (length > 64.0f) return;
        const match next = match_at(t, s->then, x, y, best->u + best->du, best->v + best->dv);
        if (!(next.error < best->error)) return;
        *best = next;
    }
}

/* Nothing moved, where that explains the patch as well: interpolation hides noise, which must not look like motion. */
MOVIE_INLINE void prefer_rest(match *best, const patch *t, const movie_search *s, size_t x, size_t y) {
    if ((best->u == 0 && best->v == 0) || is_far(best, 0, 0, 2.0f)) return;
    const match rest = match_at(t, s->then, x, y, 0, 0);
    if (rest.error <= best->error * 1.1f + 0.8f * s->noise) *best = rest;
}

void MOVIE_NAME(motion_search)(const movie_search *s, size_t first, size_t last) {
    const movie_vectors *result = s->result;
    for (size_t row = first; row < last; row++)
        for (size_t column = 0; column < result->columns; column++) {
            const size_t at = row * result->columns + column;
            if (s->wanted && !s->wanted[at]) {
                result->u[at] = result->v[at] = result->error[at] = result->texture[at] = 0;
                continue;
            }
            const size_t x = column * MOVIE_PATCH_STEP, y = row * MOVIE_PATCH_STEP;
            patch t;
            patch_at(&t, s->now->pixels + y * s->now->stride + x, (ptrdiff_t)s->now->stride, s->noise);
            match best = s->coarse ? from_coarse(&t, s, column, row) : match_at(&t, s->then, x, y, 0, 0);
            if (s->guess) try_guess(&best, &t, s, column, row);
            if (s->neighbours && column) try_neighbour(&best, &t, s, column, row, at - 1);
            if (s->neighbours && row > first) try_neighbour(&best, &t, s, column, row, at - result->columns);
            descend(&best, &t, s, x, y);
            prefer_rest(&best, &t, s, x, y);
            result->u[at] = best.u, result->v[at] = best.v, result->error[at] = best.error;
            result->texture[at] = t.variance;
        }
}
