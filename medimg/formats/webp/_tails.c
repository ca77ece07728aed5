/* Takes out of a lossy WebP picture what stands behind the last symbol of each of its partitions.
 *
 * A VP8 key frame (RFC 6386) is a first partition, of modes, and one to eight of tokens, each coded by an arithmetic coder
 * that reads no length: only who decodes every symbol knows where it ends. No picture is made here, symbols are counted.
 * Encoders end a partition at the lower end of the coder's interval: zero bits follow, a few bytes at most. Where anything
 * else follows, the partition is ended like that; every symbol stays. C99, no other dependency, no global state.
 */
#include <stdint.h>
#include <string.h>

#include "../../native/vp8_tables.h"

enum { DAMAGED = -1, SHORT = -2 };
#define FLUSH 4                     /* zero bytes that an encoder may leave: libvpx flushes 32 bits */
#define MISSING 2                   /* and bytes, of zeros, that it may leave out */
#define ACROSS 1024                 /* most macroblocks in a row: 14 bits of pixels */

typedef struct {                    /* the arithmetic decoder, section 7 */
    const uint8_t *start, *at, *end;
    uint64_t value;                 /* 8 bits that are compared, and below them `bits` more */
    uint32_t range;
    int bits;
    int64_t loaded, missing;        /* bytes, those made up behind the end counted in both */
} Bools;

static int open_at(Bools *b, const uint8_t *start, const uint8_t *end) /* no coder writes 255 first: decoders differ */
{
    memset(b, 0, sizeof *b);
    b->start = b->at = start;
    b->end = end;
    b->range = 255;
    b->bits = -8;
    return start == end || *start < 255;
}

static void load(Bools *b)
{
    int n = b->end - b->at > 7 ? 7 : 1;
    for (int k = 0; k < n; k++)
        if (b->at < b->end)
            b->value = b->value << 8 | *b->at++;
        else {
            b->value <<= 8;
            b->missing++;
        }
    b->bits += 8 * n;
    b->loaded += n;
}

static inline int zeros_before(uint32_t range) /* how often it is doubled until it is 128 or more */
{
#if defined(__GNUC__)
    return __builtin_clz(range) - 24;
#else
    int n = 0;
    for (; range < 128; range <<= 1)
        n++;
    return n;
#endif
}

static inline int get(Bools *b, uint32_t probability)
{
    if (b->bits < 0)
        load(b);
    uint32_t split = 1 + (((b->range - 1) * probability) >> 8);
    uint64_t high = (uint64_t)split << b->bits;
    int bit = b->value >= high;
    if (bit) {
        b->value -= high;
        b->range -= split;
    } else
        b->range = split;
    int shift = zeros_before(b->range);
    b->range <<= shift;
    b->bits -= shift;
    return bit;
}

static uint32_t literal(Bools *b, int n)
{
    uint32_t v = 0;
    while (n--)
        v = v << 1 | (uint32_t)get(b, 128);
    return v;
}

static void optional(Bools *b, int n) /* a flag, and where it is set n bits and a sign */
{
    if (literal(b, 1))
        literal(b, n + 1);
}

/* Writes a partition to `out` without what follows its last symbol; returns its new size. */
static int64_t ended(Bools *b, uint8_t *out)
{
    if (b->bits < 0)
        load(b);
    int64_t used = 8 * b->loaded - 8 - b->bits, size = b->end - b->start, kept = (used + 7) / 8 + 1;
    int plain = !b->value && size - kept <= FLUSH;
    for (const uint8_t *p = b->at; plain && p < b->end; p++)
        plain = !*p;
    if (plain) {
        memcpy(out, b->start, (size_t)size);
        return size;
    }
    memset(out, 0, (size_t)kept);
    memcpy(out, b->start, (size_t)(size < kept ? size : kept));
    /* What was read is the lower end of the interval plus `value`: take that off, and what is below it. */
    int spare = (int)(8 * kept - used) - 8;
    out[kept - 1] &= (uint8_t)(0xFF << spare);
    uint32_t less = (uint32_t)(b->value >> b->bits) << spare;
    for (int64_t k = kept - 1; less; k--) {
        uint32_t now = out[k], take = less & 255;
        less >>= 8;
        if (now < take) {
            now += 256;
            less++;
        }
        out[k] = (uint8_t)(now - take);
    }
    return kept;
}

typedef struct {
    Bools first, tokens[8];
    int parts, across, down;
    int mapped, skips;              /* whether macroblocks have a segment, and may say that they have no tokens */
    uint32_t segment[3], skip;
    uint8_t probability[4][8][3][11];
    uint8_t above_mode[4 * ACROSS], left_mode[4];
    uint8_t above[ACROSS][9], left[9];  /* which blocks had tokens: 4 of Y, 2 of U, 2 of V, 1 of Y2 */
    uint8_t none[ACROSS], small[ACROSS];
} Frame;

static void header(Frame *f) /* 9.2 to 9.11, 19.2 */
{
    Bools *b = &f->first;
    literal(b, 2);
    if (literal(b, 1)) {
        f->mapped = (int)literal(b, 1);
        if (literal(b, 1)) {
            literal(b, 1);
            for (int k = 0; k < 8; k++)
                optional(b, k < 4 ? 7 : 6);
        }
        for (int k = 0; f->mapped && k < 3; k++)
            f->segment[k] = literal(b, 1) ? literal(b, 8) : 255;
    }
    literal(b, 10);
    if (literal(b, 1) && literal(b, 1))
        for (int k = 0; k < 8; k++)
            optional(b, 6);
    f->parts = 1 << literal(b, 2);
    literal(b, 7);
    for (int k = 0; k < 5; k++)
        optional(b, 4);
    literal(b, 1);
    uint8_t *p = &f->probability[0][0][0][0];
    for (int k = 0; k < 1056; k++)
        p[k] = get(b, VP8_CHANGE[k]) ? (uint8_t)literal(b, 8) : VP8_FIRST[k];
    f->skips = (int)literal(b, 1);
    f->skip = f->skips ? literal(b, 8) : 0;
}

static uint8_t submode(Bools *b, const uint8_t *p) /* 11.2, the tree of 4 x 4 modes: DC TM VE HE RD VR LD VL HD HU */
{
    static const int8_t tree[18] = {0, 1, -1, 2, -2, 3, 4, 6, -3, 5, -4, -5, -6, 7, -7, 8, -8, -9};
    int i = tree[get(b, p[0])];
    while (i > 0)
        i = tree[2 * i + get(b, p[i])];
    return (uint8_t)-i;
}

static void modes(Frame *f, int x) /* 10, 11.2 to 11.4 */
{
    Bools *b = &f->first;
    uint8_t *above = f->above_mode + 4 * x, mode;
    if (f->mapped)
        get(b, f->segment[1 + get(b, f->segment[0])]);
    f->none[x] = (uint8_t)(f->skips ? get(b, f->skip) : 0);
    f->small[x] = (uint8_t)!get(b, 145);
    if (f->small[x])
        for (int y = 0; y < 4; y++)
            for (int k = 0; k < 4; k++)
                above[k] = f->left_mode[y] = submode(b, VP8_SUBMODE + 90 * above[k] + 9 * f->left_mode[y]);
    else {
        if (get(b, 156))
            mode = get(b, 128) ? 1 : 3;
        else
            mode = get(b, 163) ? 2 : 0;
        memset(above, mode, 4);
        memset(f->left_mode, mode, 4);
    }
    if (get(b, 142) && get(b, 114))
        get(b, 183);
}

static void large(Bools *b, const uint8_t *p) /* a value above 1, 13.2 */
{
    static const uint8_t more[4][12] = {{173, 148, 140}, {176, 155, 140, 135}, {180, 157, 141, 134, 130},
                                        {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}};
    if (!get(b, p[3])) {
        if (get(b, p[4]))
            get(b, p[5]);
    } else if (!get(b, p[6])) {
        if (!get(b, p[7]))
            get(b, 159);
        else {
            get(b, 165);
            get(b, 145);
        }
    } else {
        int high = get(b, p[8]);
        for (const uint8_t *bit = more[2 * high + get(b, p[9 + high])]; *bit; bit++)
            get(b, *bit);
    }
}

static uint8_t block(Bools *b, const uint8_t (*bands)[3][11], int context, int from) /* 13.3; whether it has tokens */
{
    static const uint8_t band[17] = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0};
    const uint8_t *p = bands[band[from]][context];
    for (int n = from; n < 16;) {
        if (!get(b, p[0]))
            return (uint8_t)(n > from);
        while (!get(b, p[1])) {
            if (++n == 16)
                return 1;
            p = bands[band[n]][0];
        }
        n++;
        if (!get(b, p[2]))
            p = bands[band[n]][1];
        else {
            large(b, p);
            p = bands[band[n]][2];
        }
        get(b, 128);
    }
    return 1;
}

static void tokens(Frame *f, Bools *b, int x)
{
    uint8_t *above = f->above[x], *left = f->left;
    int kind = 3;
    if (f->none[x]) {
        memset(above, 0, 8);
        memset(left, 0, 8);
        if (!f->small[x])
            above[8] = left[8] = 0;
        return;
    }
    if (!f->small[x]) {
        above[8] = left[8] = block(b, f->probability[1], above[8] + left[8], 0);
        kind = 0;
    }
    for (int y = 0; y < 4; y++)
        for (int k = 0; k < 4; k++)
            above[k] = left[y] = block(b, f->probability[kind], above[k] + left[y], !kind);
    for (int plane = 4; plane < 8; plane += 2)
        for (int y = plane; y < plane + 2; y++)
            for (int k = plane; k < plane + 2; k++)
                above[k] = left[y] = block(b, f->probability[2], above[k] + left[y], 0);
}

static int opened(Frame *f, const uint8_t *in, int64_t size) /* 9.1, 9.5 */
{
    int64_t first = (in[0] | in[1] << 8 | in[2] << 16) >> 5, at = 10 + first;
    memset(f, 0, sizeof *f);
    f->across = ((in[6] | (in[7] & 0x3F) << 8) + 15) >> 4;
    f->down = ((in[8] | (in[9] & 0x3F) << 8) + 15) >> 4;
    if (at > size || !f->across || !f->down || !open_at(&f->first, in + 10, in + at))
        return DAMAGED;
    header(f);
    at += 3 * (f->parts - 1);
    for (int k = 0; k < f->parts; k++) {
        const uint8_t *s = in + 10 + first + 3 * k;
        int64_t length = at <= size && k + 1 < f->parts ? s[0] | s[1] << 8 | s[2] << 16 : size - at;
        if (length < 0 || at + length > size || !open_at(&f->tokens[k], in + at, in + at + length))
            return DAMAGED;
        at += length;
    }
    return 0;
}

/* The picture without what no symbol needs: returns its size, or DAMAGED or SHORT. `out` has room for 64 bytes more than
 * `in`, which has 11 at least. */
int64_t medimg_vp8_bare(const uint8_t *in, int64_t size, uint8_t *out)
{
    Frame f;
    int failed = size < 11 ? DAMAGED : opened(&f, in, size);
    if (failed)
        return failed;
    for (int y = 0; y < f.down; y++) {
        memset(f.left_mode, 0, sizeof f.left_mode);
        memset(f.left, 0, sizeof f.left);
        for (int x = 0; x < f.across; x++)
            modes(&f, x);
        for (int x = 0; x < f.across; x++)
            tokens(&f, &f.tokens[y & (f.parts - 1)], x);
    }
    for (int k = -1; k < f.parts; k++)
        if ((k < 0 ? f.first : f.tokens[k]).missing > MISSING)
            return SHORT;
    memcpy(out, in, 10);
    out[7] &= 0x3F; /* the scale that a viewer may show it at: none does */
    out[9] &= 0x3F;
    int64_t length = ended(&f.first, out + 10), at = 10 + length + 3 * (f.parts - 1);
    uint32_t tag = (uint32_t)(in[0] & 0x1F) | (uint32_t)length << 5;
    for (int k = 0; k < 3; k++)
        out[k] = (uint8_t)(tag >> 8 * k);
    for (int k = 0; k < f.parts; k++) {
        int64_t part = ended(&f.tokens[k], out + at);
        for (int n = 0; n < 3 && k + 1 < f.parts; n++)
            out[10 + length + 3 * k + n] = (uint8_t)(part >> 8 * n);
        at += part;
    }
    return at;
}
