/* An edit enlarged with the camera's own detail: output = up(edit - G small) + G frame, where G holds the slopes of the
   local affine transform. Rows that are enlarged across are kept for the next output row. */

/* Memory of a run of output rows: two rows of each kind, by the number of the row they hold. */
typedef struct {
    float *rest[2], *slopes[2], *small_slopes[2], *line;
    int32_t rest_at[2], slopes_at[2], small_at[2];
} enlarge_rows;

MOVIE_INLINE void slopes_row(float *to, int32_t *at, int32_t row, const movie_enlarge *e, const movie_places *across, size_t n) {
    if (*at == row) return;
    *at = row;
    spread_fits(to, n, e->fits + (size_t)row * e->columns * MOVIE_FIT, MOVIE_FIT_PLANES, 9, across, n);
}

/* n pixels of edit - G small from x on, 4 floats each. `a` and `b`: slopes of the cells above and below. */
MOVIE_INLINE void rest_run(float *restrict to, const uint8_t *edit, const uint8_t *small, const float *a, const float *b,
                           float part, size_t width, size_t x, size_t n) {
    float was[3][RUN], rest[3][RUN];
    planes_from(was, small + 3 * x, 3, n);
    planes_from(rest, edit + 3 * x, 3, n);
    for (size_t p = 0; p < 9; p++) {
        const float *above = a + p * width + x, *below = b + p * width + x;
        for (size_t i = 0; i < n; i++)
            rest[p / 3][i] -= (above[i] + part * (below[i] - above[i])) * was[p % 3][i];
    }
    for (size_t i = 0; i < n; i++) {
        to[4 * i] = rest[0][i], to[4 * i + 1] = rest[1][i], to[4 * i + 2] = rest[2][i], to[4 * i + 3] = 0;
    }
}

/* edit - G small of one row at edit size, 4 floats a pixel. */
MOVIE_INLINE void rest_line(float *line, const movie_enlarge *e, enlarge_rows *m, int32_t y) {
    const int32_t rows[2] = {e->edit_cells_down.left[y], e->edit_cells_down.right[y]};
    const float part = e->edit_cells_down.part[y];
    const uint8_t *edit = e->edit + (size_t)y * e->edit_stride, *small = e->small + (size_t)y * e->small_stride;
    for (int i = 0; i < 2; i++)
        slopes_row(m->small_slopes[rows[i] & 1], &m->small_at[rows[i] & 1], rows[i], e, &e->edit_cells_across, e->width);
    const float *a = m->small_slopes[rows[0] & 1], *b = m->small_slopes[rows[1] & 1];
    size_t x = 0;
    for (; x + RUN <= e->width; x += RUN) rest_run(line + 4 * x, edit, small, a, b, part, e->width, x, RUN);
    if (x < e->width) rest_run(line + 4 * x, edit, small, a, b, part, e->width, x, e->width - x);
}

typedef float f32x4 __attribute__((vector_size(16)));

/* n pixels of an enlarged row from x on, as planes of the row. */
MOVIE_INLINE void stretch_run(float *to, size_t ld, const float *line, const movie_places *across, size_t x, size_t n) {
    float pixels[RUN][4];
    for (size_t i = 0; i < n; i++) {
        f32x4 a, b;
        memcpy(&a, line + 4 * across->left[x + i], sizeof a);
        memcpy(&b, line + 4 * across->right[x + i], sizeof b);
        a += across->part[x + i] * (b - a);
        memcpy(pixels[i], &a, sizeof a);
    }
    for (size_t o = 0; o < 3; o++)
        for (size_t i = 0; i < n; i++) to[o * ld + x + i] = pixels[i][o];
}

MOVIE_INLINE void rest_row(const movie_enlarge *e, enlarge_rows *m, int32_t y) {
    const int slot = y & 1;
    if (m->rest_at[slot] == y) return;
    m->rest_at[slot] = y;
    rest_line(m->line, e, m, y);
    float *to = m->rest[slot];
    size_t x = 0;
    for (; x + RUN <= e->out_width; x += RUN) stretch_run(to, e->out_width, m->line, &e->across, x, RUN);
    if (x < e->out_width) stretch_run(to, e->out_width, m->line, &e->across, x, e->out_width - x);
}

/* n output pixels from x on. */
MOVIE_INLINE void enlarge_run(uint8_t *to, const uint8_t *frame, const enlarge_rows *m, const int *slots, const float *parts,
                              size_t width, size_t x, size_t n) {
    float now[3][RUN];
    uint8_t planes[3][RUN];
    planes_from(now, frame + 3 * x, 3, n);
    for (size_t o = 0; o < 3; o++) {
        const float *above = m->rest[slots[0]] + o * width + x, *below = m->rest[slots[1]] + o * width + x;
        const float *a = m->slopes[slots[2]] + 3 * o * width + x, *b = m->slopes[slots[3]] + 3 * o * width + x;
        for (size_t i = 0; i < n; i++) {
            float v = above[i] + parts[0] * (below[i] - above[i]);
            v += (a[i] + parts[1] * (b[i] - a[i])) * now[0][i];
            v += (a[width + i] + parts[1] * (b[width + i] - a[width + i])) * now[1][i];
            v += (a[2 * width + i] + parts[1] * (b[2 * width + i] - a[2 * width + i])) * now[2][i];
            planes[o][i] = movie_level(v);
        }
    }
    for (size_t i = 0; i < n; i++) {
        to[3 * (x + i)] = planes[0][i], to[3 * (x + i) + 1] = planes[1][i], to[3 * (x + i) + 2] = planes[2][i];
    }
}

MOVIE_INLINE void enlarge_row(const movie_enlarge *e, enlarge_rows *m, size_t y) {
    const int32_t rows[4] = {e->down.left[y], e->down.right[y], e->cells_down.left[y], e->cells_down.right[y]};
    const int slots[4] = {rows[0] & 1, rows[1] & 1, rows[2] & 1, rows[3] & 1};
    const float parts[2] = {e->down.part[y], e->cells_down.part[y]};
    rest_row(e, m, rows[0]);
    rest_row(e, m, rows[1]);
    for (int i = 2; i < 4; i++)
        slopes_row(m->slopes[slots[i]], &m->slopes_at[slots[i]], rows[i], e, &e->cells_across, e->out_width);
    uint8_t *to = e->output + y * e->output_stride;
    const uint8_t *frame = e->frame + y * e->frame_stride;
    size_t x = 0;
    for (; x + RUN <= e->out_width; x += RUN) enlarge_run(to, frame, m, slots, parts, e->out_width, x, RUN);
    if (x < e->out_width) enlarge_run(to, frame, m, slots, parts, e->out_width, x, e->out_width - x);
}

void MOVIE_NAME(motion_enlarge)(const movie_enlarge *e, float *scratch, size_t first, size_t last) {
    enlarge_rows m = {.rest_at = {-1, -1}, .slopes_at = {-1, -1}, .small_at = {-1, -1}};
    for (int i = 0; i < 2; i++) {
        m.rest[i] = scratch, scratch += 3 * e->out_width;
        m.slopes[i] = scratch, scratch += 9 * e->out_width;
        m.small_slopes[i] = scratch, scratch += 9 * e->width;
    }
    m.line = scratch;
    for (size_t y = first; y < last; y++) enlarge_row(e, &m, y);
}
