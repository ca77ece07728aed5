/* The audit's own readers of coded pictures: a JPEG scan, and a lossy WebP picture. They make no pixels; they say whether
 * anything stands in the coded data that no symbol needs. medimg/audit/scans.py says what each gives. They share no code
 * with the writer's, but for the numbers of VP8. C99, no other dependency, no global state.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../native/vp8_tables.h"

/* ---- JPEG (ITU-T T.81), Huffman codes, one scan ---- */

typedef struct {
    int32_t h, v;               /* blocks of a unit: 1 and 1 where the component is alone in its scan */
    int32_t stride;             /* blocks in a row of `seen` */
    int32_t columns, rows;      /* blocks that hold some of the picture; those past them are filling */
    int32_t dc, ac;             /* tables: 0 to 3, and 4 to 7 */
    uint64_t *seen;             /* of a progressive picture: bit k of a block set where coefficient k is not 0 */
    uint64_t nonzero;           /* given back: coefficients that are not 0 in every block that is shown */
} Part;

typedef struct {
    int32_t progressive, first, last, refines, interval;
    int32_t across, down, parts;
    Part part[4];
    uint8_t table[8][272];      /* 16 counts and the symbols, as in a DHT segment */
    uint8_t met[8][256];        /* given back: which symbols were read */
    int32_t loose, past;        /* given back: whether there is more than the blocks need; a block of filling that is not empty */
} Scan;

enum { AHEAD = 11, NEXT = 1 << AHEAD };

typedef struct {                /* a Huffman table, to read with */
    uint16_t look[65536];       /* for any 16 bits: length of the code they begin with << 8 | symbol */
    uint32_t run[NEXT];         /* for any 11 bits: what `several` says of the codes that they hold whole */
    uint8_t met[NEXT];          /* which of these were read */
} Codes;

typedef struct {
    Scan *s;
    Codes *codes;
    const uint8_t *at, *end;
    uint64_t word;              /* the next bits from the uppermost on */
    int count, bad;             /* how many of them count; whether the data are damaged */
    uint32_t skip;              /* blocks that end a band still to come (G.1.2.2) */
} Bits;

/* Codes of AC coefficients at the beginning of 11 bits, up to the end of a block: their bits and those that follow each
 * (F.1.2.2) | how many coefficients they say << 5 | whether the end is one of them << 10 | which are not 0 << 16; 0 where
 * the first is longer, is 16 zeros, or may end more than one block. Of a DC code its bits | its size << 16 (F.1.2.1). */
static uint32_t several(const uint16_t *look, uint32_t next, int dc, uint8_t *met)
{
    uint32_t wide = 0, on = 0, set = 0, end = 0;
    while (wide < AHEAD && !end) {
        uint32_t found = look[(next << wide & (NEXT - 1)) << (16 - AHEAD)];
        uint32_t length = found >> 8, symbol = found & 255, size = symbol & 15;
        if (!length || wide + length > AHEAD || size > (dc ? 11 : 10) || (symbol > 15 && (dc || !size)) ||
            on + (symbol >> 4) >= 16)
            break;
        wide += length + size;
        if (met)
            met[symbol] = 1;
        if (dc)
            return size << 16 | wide;
        end = !size;
        on += end ? 0 : (symbol >> 4) + 1;
        set |= end ? 0 : 1u << (on - 1);
    }
    return set << 16 | end << 10 | on << 5 | wide;
}

static int filled(Codes *c, const uint8_t *table, int dc)
{
    uint32_t at = 0, k = 16;
    memset(c, 0, sizeof *c);
    for (uint32_t length = 1; length <= 16; length++)
        for (int n = table[length - 1]; n; n--, k++) {
            uint32_t width = 1u << (16 - length);
            if (k >= 272 || at + width > 65536)
                return 0;
            for (uint32_t end = at + width; at < end; at++)
                c->look[at] = (uint16_t)(length << 8 | table[k]);
        }
    for (uint32_t next = 0; next < NEXT; next++)
        c->run[next] = several(c->look, next, dc, 0);
    return 1;
}

static void one_by_one(Bits *b) /* B.1.1.5: a zero follows each byte 0xFF that is no marker; at most 63 bits */
{
    while (b->count < 56 && b->at < b->end) {
        if (*b->at == 0xFF && (b->end - b->at < 2 || b->at[1]))
            return;
        b->word |= (uint64_t)*b->at << (56 - b->count);
        b->count += 8;
        b->at += *b->at == 0xFF ? 2 : 1;
    }
}

static inline uint64_t eight(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
           (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | p[7];
}

static inline int has_ff(uint64_t v)
{
    return ((~v - 0x0101010101010101u) & v & 0x8080808080808080u) != 0;
}

static inline void more(Bits *b) /* at least 32 bits, where there are as many */
{
    uint64_t next;
    if (b->count >= 32)
        return;
    if (b->end - b->at >= 8 && !has_ff(next = eight(b->at))) {
        b->word |= next >> b->count;
        b->at += (63 - b->count) >> 3;
        b->count |= 56;
    } else
        one_by_one(b);
}

static uint32_t bits(Bits *b, int n)
{
    more(b);
    if (b->count < n) {
        b->bad = 1;
        return 0;
    }
    uint32_t value = n ? (uint32_t)(b->word >> (64 - n)) : 0;
    b->word <<= n;
    b->count -= n;
    return value;
}

/* A symbol; its lower four bits say how many bits follow, which are passed over (F.1.2.1, F.1.2.2). */
static int code(Bits *b, int slot)
{
    more(b);
    int found = b->codes[slot].look[b->word >> 48], all = (found >> 8) + (found & 15);
    if (found < 256 || all > b->count) {
        b->bad = 1;
        return 0;
    }
    b->word <<= all;
    b->count -= all;
    b->s->met[slot][found & 255] = 1;
    return found & 255;
}

static int difference(Bits *b, int slot) /* of DC: its size */
{
    Codes *c = &b->codes[slot];
    more(b);
    uint32_t next = (uint32_t)(b->word >> (64 - AHEAD)), found = c->run[next];
    int wide = found & 31, size;
    if (found && wide <= b->count) {
        c->met[next] = 1;
        b->word <<= wide;
        b->count -= wide;
        return (int)(found >> 16);
    }
    size = code(b, slot);
    b->bad |= size > 11;
    return size;
}

static uint64_t band(Bits *b, int slot, int k) /* F.2.2.2 and G.1.2.2: which coefficients from k on are not 0 */
{
    Codes *c = &b->codes[slot];
    uint64_t set = 0, word = b->word; /* copies, which may lie in registers */
    const uint8_t *at = b->at, *whole = b->end - 8;
    int zeros = 0, last = b->s->last, count = b->count;
    if (b->skip) {
        b->skip--;
        return 0;
    }
    while (k <= last) {
        uint64_t bytes;
        uint32_t next, found;
        if (at <= whole && !has_ff(bytes = eight(at))) { /* always: whether bits run short is hard to foresee */
            word |= bytes >> count;
            at += (63 - count) >> 3;
            count |= 56;
        }
        next = (uint32_t)(word >> (64 - AHEAD));
        found = c->run[next];
        int wide = found & 31, on = found >> 5 & 31;
        if (wide && wide <= count && k + on <= last) {
            c->met[next] = 1;
            word <<= wide;
            count -= wide;
            set |= (uint64_t)(found >> 16) << k;
            k += on;
            zeros &= !on;
            if (found & 1 << 10)
                break;
            continue;
        }
        b->word = word;
        b->count = count;
        b->at = at;
        int symbol = code(b, slot), run = symbol >> 4, size = symbol & 15, end = !size && run < 15;
        if (end) {
            b->bad |= run && !b->s->progressive;
            b->skip = (1u << run) + bits(b, run) - 1;
        } else {
            k += run;
            zeros = !size;
            b->bad |= k > last || size > 10;
            set |= b->bad ? 0 : (uint64_t)(size > 0) << k++;
        }
        word = b->word;
        count = b->count;
        at = b->at;
        if (end || b->bad)
            break;
    }
    b->word = word;
    b->count = count;
    b->at = at;
    b->s->loose |= zeros;
    return b->bad ? 0 : set;
}

static uint64_t refined(Bits *b, int slot, uint64_t seen) /* G.1.2.3 */
{
    uint64_t set = 0;
    int k = b->s->first, last = b->s->last, zeros = 0;
    while (!b->skip && k <= last && !b->bad) {
        int symbol = code(b, slot), run = symbol >> 4, size = symbol & 15;
        b->bad |= size > 1;
        if (!size && run < 15) {
            b->skip = (1u << run) + bits(b, run);
            break;
        }
        zeros = !size;
        for (; k <= last && ((seen >> k & 1) || run--); k++)
            if (seen >> k & 1)
                bits(b, 1);
        if (k > last)
            b->bad = 1;
        else
            set |= (uint64_t)size << k++;
    }
    b->s->loose |= zeros;
    if (b->skip) {
        for (; k <= last; k++)
            if (seen >> k & 1)
                bits(b, 1);
        b->skip--;
    }
    return set;
}

static void one_block(Bits *b, Part *p, int x, int y)
{
    Scan *s = b->s;
    uint64_t set = 0, *seen = s->progressive ? &p->seen[(int64_t)y * p->stride + x] : 0;
    int size = 0;
    if (!s->first && s->refines)
        bits(b, 1);
    else if (!s->first)
        size = difference(b, p->dc);
    if (s->last && s->refines)
        set = refined(b, p->ac, *seen);
    else if (s->last)
        set = band(b, p->ac, s->first ? s->first : 1);
    if (seen)
        *seen |= set;
    if (x < p->columns && y < p->rows)
        p->nonzero |= set;
    else if (!s->progressive)
        s->past |= size || set;
}

/* The end of an interval: no bit more than fills up the byte, and those are ones (F.1.2.3); then a marker. */
static int marker(Bits *b)
{
    b->s->loose |= b->count >= 8 || b->word >> 56 >> (8 - b->count) != (1u << b->count) - 1;
    b->word = 0;
    b->count = 0;
    for (; b->end - b->at >= 2; b->at++) {
        if (b->at[0] == 0xFF && b->at[1])
            return b->skip ? -1 : b->at[1];
        b->s->loose = 1;
    }
    return -1;
}

int32_t medimg_audit_scan_size(void)
{
    return (int32_t)sizeof(Scan);
}

static int64_t scan_read(Scan *s, Codes *codes, const uint8_t *data, int64_t at, int64_t size)
{
    Bits b = {s, codes, data + at, data + size, 0, 0, 0, 0};
    int64_t unit = 0;
    int used = 0;
    if (s->progressive ? s->first > s->last || s->last > 63 || (s->last && (!s->first || s->parts > 1))
                       : s->first || s->last != 63 || s->refines)
        return -1;
    for (int n = 0; n < s->parts; n++)
        used |= (!s->first && !s->refines) << s->part[n].dc | (s->last > 0) << s->part[n].ac;
    for (int slot = 0; slot < 8; slot++)
        if (used >> slot & 1 && !filled(&codes[slot], s->table[slot], slot < 4))
            return -1;
    for (int y = 0; y < s->down; y++)
        for (int x = 0; x < s->across; x++, unit++) {
            if (s->interval && unit && unit % s->interval == 0) {
                if (marker(&b) != 0xD0 + (unit / s->interval - 1) % 8)
                    return -1;
                b.at += 2;
            }
            for (Part *p = s->part; p < s->part + s->parts; p++)
                for (int row = 0; row < p->v; row++)
                    for (int column = 0; column < p->h && !b.bad; column++)
                        one_block(&b, p, x * p->h + column, y * p->v + row);
            if (b.bad)
                return -1;
        }
    for (int slot = 0; slot < 8; slot++)
        for (uint32_t next = 0; used >> slot & 1 && next < NEXT; next++)
            if (codes[slot].met[next])
                several(codes[slot].look, next, slot < 4, s->met[slot]);
    int last = marker(&b);
    return last < 0xC0 || (last & 0xF8) == 0xD0 || last == 0xFF ? -1 : b.at - data;
}

/* Where the marker behind the scan stands whose coded data begin at `at`; -1 when they are damaged, or there is no room. */
int64_t medimg_audit_scan(Scan *s, const uint8_t *data, int64_t at, int64_t size)
{
    Codes *codes = malloc(8 * sizeof *codes);
    int64_t end = codes ? scan_read(s, codes, data, at, size) : -1;
    free(codes);
    return end;
}

/* ---- VP8 (RFC 6386), a key frame ---- */

typedef struct {                /* section 7.3: two bytes, the upper of them compared */
    const uint8_t *at, *end;
    uint32_t value, range;
    int shifted, beyond;        /* beyond: it begins with a value that no coder gives */
    int64_t missing;
} Coder;

static uint32_t byte(Coder *c)
{
    if (c->at < c->end)
        return *c->at++;
    c->missing++;
    return 0;
}

static void start(Coder *c, const uint8_t *at, const uint8_t *end)
{
    c->at = at;
    c->end = end;
    c->range = 255;
    c->shifted = 0;
    c->missing = 0;
    c->value = byte(c) << 8;
    c->value |= byte(c);
    c->beyond = c->value >= c->range << 8;
}

static inline int flag(Coder *c, uint32_t probability)
{
    uint32_t split = 1 + ((c->range - 1) * probability >> 8);
    int set = c->value >= split << 8;
    c->value -= set ? split << 8 : 0;
    c->range = set ? c->range - split : split;
#if defined(__GNUC__)
    int by = __builtin_clz(c->range) - 24;
#else
    int by = 0;
    while (c->range << by < 128)
        by++;
#endif
    c->range <<= by;
    c->value <<= by;
    c->shifted += by;
    if (c->shifted >= 8) {
        c->shifted -= 8;
        c->value |= byte(c) << c->shifted;
    }
    return set;
}

static uint32_t number(Coder *c, int n)
{
    uint32_t v = 0;
    for (; n; n--)
        v += v + (uint32_t)flag(c, 128);
    return v;
}

static int tree(Coder *c, const int8_t *nodes, const uint8_t *probability, int node) /* section 8.1 */
{
    while ((node = nodes[node + flag(c, probability[node >> 1])]) > 0)
        ;
    return -node;
}

static void numbers(Coder *c, int many, int width) /* each behind a flag, with a sign */
{
    while (many--)
        if (number(c, 1))
            number(c, width + 1);
}

/* Encoders fill up with zero bits, up to 32. */
static int rest(const Coder *c)
{
    int more = c->value != 0 || c->end - c->at > 4;
    for (const uint8_t *p = c->at; !more && p < c->end; p++)
        more = *p != 0;
    return more;
}

static int tokens(Coder *c, uint8_t (*p)[3][11], int context, int first) /* sections 13.2 and 13.3 */
{
    static const uint8_t bands[16] = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7};
    static const int8_t nodes[22] = {-11, 2, 0, 4, -1, 6, 8, 12, -2, 10, -3, -4, 14, 16, -5, -6, 18, 20, -7, -8, -9, -10};
    static const uint8_t extra[6][12] = {{159}, {165, 145}, {173, 148, 140}, {176, 155, 140, 135},
                                         {180, 157, 141, 134, 130},
                                         {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}};
    int k = first, token = -1;
    for (; k < 16; k++) {
        token = tree(c, nodes, p[bands[k]][context], token ? 0 : 2); /* no end of the block behind a zero */
        if (token == 11)
            break;
        for (int n = 0; token > 4 && extra[token - 5][n]; n++)
            flag(c, extra[token - 5][n]);
        if (token)
            flag(c, 128);
        context = token > 1 ? 2 : token;
    }
    return k > first;
}

static void frame_header(Coder *c, uint8_t *probability, uint8_t *segments, int *split, int *skipping) /* 19.2 */
{
    number(c, 2);
    segments[3] = 0;
    if (number(c, 1)) {
        int map = segments[3] = (uint8_t)number(c, 1);
        if (number(c, 1)) {
            number(c, 1);
            numbers(c, 4, 7);
            numbers(c, 4, 6);
        }
        for (int k = 0; map && k < 3; k++)
            segments[k] = number(c, 1) ? (uint8_t)number(c, 8) : 255;
    }
    number(c, 10);
    if (number(c, 1) && number(c, 1))
        numbers(c, 8, 6);
    *split = (int)number(c, 2);
    number(c, 7);
    numbers(c, 5, 4);
    number(c, 1);
    for (int k = 0; k < 1056; k++)
        probability[k] = flag(c, VP8_CHANGE[k]) ? (uint8_t)number(c, 8) : VP8_FIRST[k];
    *skipping = number(c, 1) ? (int)number(c, 8) : -1;
}

/* A macroblock's modes (11.2, 11.3): returns whether its blocks have modes of their own. */
static int modes_of(Coder *c, uint8_t *above, uint8_t *left)
{
    static const int8_t whole[8] = {-4, 2, 4, 6, 0, -2, -3, -1}, colours[6] = {0, 2, -1, 4, -2, -3};
    static const int8_t small[18] = {0, 2, -1, 4, -2, 6, 8, 12, -3, 10, -4, -5, -6, 14, -7, 16, -8, -9};
    static const uint8_t whole_p[4] = {145, 156, 163, 128}, colours_p[3] = {142, 114, 183};
    int mode = tree(c, whole, whole_p, 0);
    for (int k = 0; k < 16; k++)
        above[k % 4] = left[k / 4] =
            (uint8_t)(mode < 4 ? mode : tree(c, small, VP8_SUBMODE + 90 * above[k % 4] + 9 * left[k / 4], 0));
    tree(c, colours, colours_p, 0);
    return mode == 4;
}

/* 0: every partition ends with its last symbol; 1: one does not; -1: the picture is damaged. */
int32_t medimg_audit_vp8(const uint8_t *data, int64_t size)
{
    uint8_t probability[4][8][3][11], segments[4], mode_above[4 * 1024] = {0}, above[1024][9] = {{0}};
    Coder first, part[8];
    int split, skipping, more = 0;
    if (size < 10)
        return -1;
    int64_t at = 10 + ((data[0] | data[1] << 8 | data[2] << 16) >> 5);
    int across = ((data[6] | (data[7] & 63) << 8) + 15) / 16, down = ((data[8] | (data[9] & 63) << 8) + 15) / 16;
    if (at > size)
        return -1;
    start(&first, data + 10, data + at);
    frame_header(&first, &probability[0][0][0][0], segments, &split, &skipping);
    int parts = 1 << split;
    const uint8_t *sizes = data + at;
    at += 3 * (parts - 1);
    for (int k = 0; k < parts; k++, sizes += 3) {
        int64_t length = at > size ? -1 : k == parts - 1 ? size - at : sizes[0] | sizes[1] << 8 | sizes[2] << 16;
        if (length < 0 || at + length > size)
            return -1;
        start(&part[k], data + at, data + at + length);
        at += length;
    }
    for (int y = 0; y < down; y++) {
        uint8_t mode_left[4] = {0}, left[9] = {0};
        Coder *c = &part[y % parts];
        for (int x = 0; x < across; x++) {
            if (segments[3])
                flag(&first, segments[1 + flag(&first, segments[0])]);
            int none = skipping >= 0 && flag(&first, (uint32_t)skipping);
            int own = modes_of(&first, mode_above + 4 * x, mode_left);
            for (int k = own; k < 25; k++) { /* the second-order block of Y, 16 of Y, 4 of U, 4 of V */
                int luma = k > 0 && k < 17, kind = !k ? 1 : luma ? (own ? 3 : 0) : 2, n = luma ? k - 1 : k - 17;
                uint8_t *a = above[x] + (!k ? 8 : luma ? n % 4 : 4 + n / 4 * 2 + n % 2);
                uint8_t *l = left + (!k ? 8 : luma ? n / 4 : 4 + n / 4 * 2 + n % 4 / 2);
                *a = *l = (uint8_t)(none ? 0 : tokens(c, probability[kind], *a + *l, luma && !own));
            }
        }
    }
    for (int k = 0; k < parts; k++) {
        more |= rest(&part[k]);
        if (part[k].missing > 4 || part[k].beyond)
            return -1;
    }
    return first.missing > 4 || first.beyond ? -1 : more | rest(&first);
}
