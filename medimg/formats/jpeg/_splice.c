/* Rewrites the entropy-coded data of one JPEG scan so that chosen blocks become flat, vanish, or stay as they are.
 *
 * The scan is decoded symbol by symbol (ITU-T T.81: F.2.2 sequential Huffman, G.2 progressive, F.2.4 and G.2
 * arithmetic) and written again with Huffman codes; no coefficient is ever dequantised, so what is kept is exact.
 * Every symbol is checked. Memory: what the caller hands over, plus tables on the stack; nothing is allocated.
 * The tests have a twin of it in Python; both must give the same bytes. C99, no other dependency, no global state.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KERNEL_VERSION 3

enum { SEQUENTIAL, DC_FIRST, DC_REFINE, AC_FIRST, AC_REFINE };            /* what a scan holds */
enum { KEEP, FLAT, BEYOND, DROP };                                       /* what becomes of a block */
enum { OK, CORRUPT, SHORT, NO_CODE, NO_SPACE, BAD_RESTART, BAD_CALL };   /* results */

typedef struct {            /* one component of the scan */
    const uint8_t *fate;    /* rows x stride: KEEP, FLAT, ... */
    const uint64_t *seen;   /* rows x stride: bit k set when coefficient k was non-zero before this scan, or NULL */
    uint64_t *seen_after;   /* the same after this scan, or NULL; comes as a copy of `seen` */
    int32_t stride, rows;
    int32_t h, v;           /* blocks of an MCU */
    int32_t flat;           /* quantised DC of a FLAT block */
    int32_t dc, ac;         /* table slots 0 to 3 */
} Part;

typedef struct {
    int32_t mode, arithmetic, ss, se, al;
    int32_t restart, keep_restarts;   /* MCUs between restart markers, 0 for none; whether they are written again */
    int32_t mcus_x, mcus_y, parts;
    Part part[4];
    uint8_t low[4], high[4], kx[4];   /* arithmetic conditioning, F.1.4.4.1.2 and F.1.4.4.2 */
    uint8_t defined[8];               /* which of the Huffman tables (0-3 DC, 4-7 AC) there are */
    uint8_t in[8][272], out[8][272];  /* 16 counts and up to 256 symbols each, as in a DHT segment */
} Scan;

typedef struct {
    int64_t consumed, written, extra; /* extra: most unread bytes met before a marker */
    int32_t loose, past;              /* whether something else is there that no decoder heeds, or blocks past the edge */
    uint64_t nonzero[4];              /* coefficients of each component's kept blocks that are not all zero */
    uint8_t met[8][256];              /* symbols of each table that were read */
} Result;

#define LOOK 11
typedef struct {
    uint16_t look[1 << LOOK];         /* length << 8 | symbol; 0: longer than LOOK bits, or no such code */
    uint32_t first[17], limit[17], base[17];
    const uint8_t *symbols;
} Decode;

typedef struct {
    uint16_t code[256];
    uint8_t length[256];
} Encode;

typedef struct {            /* what AC symbols say that stand whole in LOOK bits, one behind the other */
    uint16_t set;           /* which of the coefficients they pass are not 0 */
    uint8_t passed, bits;   /* how many they pass, and BLOCK_ENDS; their bits, 0 where the first has to be read by itself */
} Leap;
enum { BLOCK_ENDS = 64 };

typedef struct {            /* a DC difference that stands whole in LOOK bits */
    int16_t diff;
    uint8_t bits, symbol;   /* its bits, 0 where it is longer */
} Step;

typedef struct {
    const Scan *scan;
    const uint8_t *p, *end;           /* input */
    uint64_t window;
    int bits;
    uint8_t *o, *o_end;               /* output */
    uint64_t pending;
    int pending_bits;
    uint32_t *freq;                   /* when set, symbols are counted and nothing is written */
    int reading;                      /* nothing is written or counted */
    int error;
    int32_t pred_in[4], pred_out[4];
    uint64_t band;                    /* bits ss to se */
    int32_t run_in, run_out, held;    /* end-of-band runs; correction bits waiting for the run to be written */
    uint8_t held_bit[1024];           /* 937 + 63 at most */
    int64_t extra;
    Result *said;
    uint32_t c, a;                    /* arithmetic decoder, Annex D */
    int ct, dc_context[4];
    uint8_t dc_state[4][64], ac_state[4][256], even;
    Decode dec[8];
    Encode enc[8];
    Leap leap[4][1 << LOOK];          /* of the AC tables; only made for reading, */
    uint8_t taken[4][1 << LOOK];      /* and which of them were met */
    Step step[4][1 << LOOK];          /* of the DC tables; likewise */
} Run;

/* ---- Huffman tables (Annex C) ---- */

static int make_tables(Run *s, int slot)
{
    const uint8_t *in = s->scan->in[slot], *out = s->scan->out[slot];
    Decode *d = &s->dec[slot];
    Encode *e = &s->enc[slot];
    uint32_t code = 0, k = 0;
    d->symbols = in + 16;
    for (int n = 1; n <= 16; n++, code <<= 1) {
        d->first[n] = code;
        d->base[n] = k;
        if (k + in[n - 1] > 256 || code + in[n - 1] > (1u << n))
            return CORRUPT;
        for (int i = 0; i < in[n - 1]; i++, k++, code++)
            if (n <= LOOK)
                for (uint32_t j = code << (LOOK - n); j < (code + 1) << (LOOK - n); j++)
                    d->look[j] = (uint16_t)(n << 8 | in[16 + k]);
        d->limit[n] = code;
    }
    code = k = 0;
    for (int n = 1; n <= 16; n++, code <<= 1) {
        if (k + out[n - 1] > 256 || code + out[n - 1] > (1u << n))
            return CORRUPT;
        for (int i = 0; i < out[n - 1]; i++, k++, code++) {
            e->code[out[16 + k]] = (uint16_t)code;
            e->length[out[16 + k]] = (uint8_t)n;
        }
    }
    return OK;
}

/* What can be told from LOOK bits; `met`, when given, gets the symbols of it. */
static Leap leap_of(const Decode *d, uint32_t look, uint8_t *met)
{
    Leap leap = {0, 0, 0};
    while (leap.bits < LOOK && leap.passed < BLOCK_ENDS) {
        uint32_t e = d->look[look << leap.bits & ((1 << LOOK) - 1)], zeros = e >> 4 & 15, n = e & 15;
        if (!e || leap.bits + (e >> 8) > LOOK || n > 10 || (!n && zeros) || leap.passed + zeros > 15)
            break;
        if (n) {
            leap.passed += (uint8_t)(zeros + 1);
            leap.set |= (uint16_t)(1 << (leap.passed - 1));
        } else
            leap.passed += BLOCK_ENDS;
        leap.bits += (uint8_t)((e >> 8) + n);
        if (met)
            met[e & 255] = 1;
    }
    return leap;
}

/* ---- input ---- */

static void fail(Run *s, int why)
{
    if (!s->error)
        s->error = why;
}

/* The next eight bytes, where there are as many and none is 0xFF. */
static inline int plain_bytes(const uint8_t *p, const uint8_t *end, uint64_t *bytes)
{
    if (end - p < 8)
        return 0;
    *bytes = (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
             (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
    return !(*bytes & 0x8080808080808080u & (~*bytes - 0x0101010101010101u));
}

static void refill(Run *s) /* to 63 bits at most */
{
    uint64_t bytes;
    if (plain_bytes(s->p, s->end, &bytes)) { /* bits past `bits` are those that follow there anyway */
        s->window |= bytes >> s->bits;
        s->p += (63 - s->bits) / 8;
        s->bits |= 56;
        return;
    }
    while (s->bits < 56 && s->p < s->end) {
        uint8_t b = *s->p;
        if (b == 0xFF) {
            if (s->end - s->p < 2 || s->p[1])
                return; /* a marker, or the file ends */
            s->p++;
        }
        s->p++;
        s->window |= (uint64_t)b << (56 - s->bits);
        s->bits += 8;
    }
}

static inline void consume(Run *s, int n)
{
    s->window <<= n;
    s->bits -= n;
    if (s->bits < 0) {
        s->bits = 0;
        fail(s, SHORT);
    }
}

static inline int symbol(Run *s, int slot)
{
    const Decode *d = &s->dec[slot];
    if (s->bits < 32)
        refill(s);
    uint32_t w = (uint32_t)(s->window >> 48);
    uint32_t e = d->look[w >> (16 - LOOK)];
    if (e) {
        consume(s, (int)(e >> 8));
        s->said->met[slot][e & 255] = 1;
        return (int)(e & 255);
    }
    for (int n = LOOK + 1; n <= 16; n++) {
        uint32_t v = w >> (16 - n);
        if (v >= d->first[n] && v < d->limit[n]) {
            int found = d->symbols[d->base[n] + v - d->first[n]];
            consume(s, n);
            s->said->met[slot][found] = 1;
            return found;
        }
    }
    fail(s, s->bits < 16 ? SHORT : CORRUPT);
    return 0;
}

static inline uint32_t take(Run *s, int n) /* n <= 16 */
{
    if (!n)
        return 0;
    if (s->bits < n)
        refill(s);
    uint32_t v = (uint32_t)(s->window >> (64 - n));
    consume(s, n);
    return v;
}

static int32_t extend(uint32_t v, int n)
{
    return n && !(v >> (n - 1)) ? (int32_t)v - (1 << n) + 1 : (int32_t)v;
}

/* Moves to the next marker; what lies before it is counted as extra. Returns the marker's code, or -1. The last byte is
 * filled up with ones (F.1.2.3). */
static int next_marker(Run *s)
{
    int64_t extra = s->bits / 8;
    int filling = s->bits % 8;
    if (filling && s->window >> (64 - filling) != (1u << filling) - 1)
        s->said->loose = 1;
    s->window = 0;
    s->bits = 0;
    for (; s->end - s->p >= 2; s->p++, extra++) {
        if (s->p[0] != 0xFF)
            continue;
        if (s->p[1] == 0xFF)
            extra--; /* fill byte, B.1.1.2 */
        else if (s->p[1] == 0)
            s->p++;
        else {
            if (extra > s->extra)
                s->extra = extra;
            return s->p[1];
        }
    }
    return -1;
}

/* ---- output ---- */

static void put(Run *s, uint32_t v, int n) /* n <= 32 */
{
    if (s->freq || s->reading)
        return;
    s->pending = s->pending << n | v;
    s->pending_bits += n;
    while (s->pending_bits >= 8) {
        s->pending_bits -= 8;
        uint8_t b = (uint8_t)(s->pending >> s->pending_bits);
        *s->o++ = b;
        if (b == 0xFF)
            *s->o++ = 0;
    }
}

static void emit(Run *s, int slot, int sym, uint32_t v, int n) /* a symbol and its n further bits */
{
    if (s->reading)
        return;
    if (s->freq) {
        s->freq[slot * 256 + sym]++;
        return;
    }
    int length = s->enc[slot].length[sym];
    if (!length) {
        fail(s, NO_CODE);
        return;
    }
    put(s, (uint32_t)s->enc[slot].code[sym] << n | v, length + n);
}

static int size_of(int32_t v)
{
    uint32_t u = (uint32_t)(v < 0 ? -v : v);
    int n = 0;
    while (u) {
        u >>= 1;
        n++;
    }
    return n;
}

static void emit_value(Run *s, int slot, int zeros, int32_t v) /* run/size symbol and magnitude bits, F.1.2 */
{
    int n = size_of(v);
    if (n > (slot < 4 ? 11 : 10))
        fail(s, CORRUPT);
    else
        emit(s, slot, zeros << 4 | n, (uint32_t)(v < 0 ? v + (1 << n) - 1 : v), n);
}

static int lowest(uint64_t set) /* the lowest bit that is set */
{
#if defined(__GNUC__)
    return __builtin_ctzll(set);
#else
    int k = 0;
    for (; !(set & 1); set >>= 1)
        k++;
    return k;
#endif
}

static int put_bits(Run *s, const uint8_t *bit, int bits)
{
    for (int i = 0; i < bits; i++)
        put(s, bit[i], 1);
    return 0;
}

static void flush_run(Run *s, int slot) /* G.1.2.2, G.1.2.3 */
{
    if (!s->run_out)
        return;
    int n = size_of(s->run_out) - 1;
    emit(s, slot, n << 4, (uint32_t)(s->run_out - (1 << n)), n);
    s->held = put_bits(s, s->held_bit, s->held);
    s->run_out = 0;
}

static void end_block(Run *s, int slot)
{
    if (++s->run_out == 0x7FFF || s->held > 937) /* as libjpeg does */
        flush_run(s, slot);
}

static void pad(Run *s)
{
    int n = (8 - s->pending_bits) & 7;
    put(s, (1u << n) - 1, n);
}

/* ---- arithmetic decoder (Annex D), contexts of F.1.4.4 ---- */

static const struct { uint16_t qe; uint8_t lps, mps, swap; } STATE[114] = { /* Table D.3; 113: fixed, one half */
    {0x5a1d,1,1,1}, {0x2586,14,2,0}, {0x1114,16,3,0}, {0x080b,18,4,0}, {0x03d8,20,5,0}, {0x01da,23,6,0},
    {0x00e5,25,7,0}, {0x006f,28,8,0}, {0x0036,30,9,0}, {0x001a,33,10,0}, {0x000d,35,11,0}, {0x0006,9,12,0},
    {0x0003,10,13,0}, {0x0001,12,13,0}, {0x5a7f,15,15,1}, {0x3f25,36,16,0}, {0x2cf2,38,17,0}, {0x207c,39,18,0},
    {0x17b9,40,19,0}, {0x1182,42,20,0}, {0x0cef,43,21,0}, {0x09a1,45,22,0}, {0x072f,46,23,0}, {0x055c,48,24,0},
    {0x0406,49,25,0}, {0x0303,51,26,0}, {0x0240,52,27,0}, {0x01b1,54,28,0}, {0x0144,56,29,0}, {0x00f5,57,30,0},
    {0x00b7,59,31,0}, {0x008a,60,32,0}, {0x0068,62,33,0}, {0x004e,63,34,0}, {0x003b,32,35,0}, {0x002c,33,9,0},
    {0x5ae1,37,37,1}, {0x484c,64,38,0}, {0x3a0d,65,39,0}, {0x2ef1,67,40,0}, {0x261f,68,41,0}, {0x1f33,69,42,0},
    {0x19a8,70,43,0}, {0x1518,72,44,0}, {0x1177,73,45,0}, {0x0e74,74,46,0}, {0x0bfb,75,47,0}, {0x09f8,77,48,0},
    {0x0861,78,49,0}, {0x0706,79,50,0}, {0x05cd,48,51,0}, {0x04de,50,52,0}, {0x040f,50,53,0}, {0x0363,51,54,0},
    {0x02d4,52,55,0}, {0x025c,53,56,0}, {0x01f8,54,57,0}, {0x01a4,55,58,0}, {0x0160,56,59,0}, {0x0125,57,60,0},
    {0x00f6,58,61,0}, {0x00cb,59,62,0}, {0x00ab,61,63,0}, {0x008f,61,32,0}, {0x5b12,65,65,1}, {0x4d04,80,66,0},
    {0x412c,81,67,0}, {0x37d8,82,68,0}, {0x2fe8,83,69,0}, {0x293c,84,70,0}, {0x2379,86,71,0}, {0x1edf,87,72,0},
    {0x1aa9,87,73,0}, {0x174e,72,74,0}, {0x1424,72,75,0}, {0x119c,74,76,0}, {0x0f6b,74,77,0}, {0x0d51,75,78,0},
    {0x0bb6,77,79,0}, {0x0a40,77,48,0}, {0x5832,80,81,1}, {0x4d1c,88,82,0}, {0x438e,89,83,0}, {0x3bdd,90,84,0},
    {0x34ee,91,85,0}, {0x2eae,92,86,0}, {0x299a,93,87,0}, {0x2516,86,71,0}, {0x5570,88,89,1}, {0x4ca9,95,90,0},
    {0x44d9,96,91,0}, {0x3e22,97,92,0}, {0x3824,99,93,0}, {0x32b4,99,94,0}, {0x2e17,93,86,0}, {0x56a8,95,96,1},
    {0x4f46,101,97,0}, {0x47e5,102,98,0}, {0x41cf,103,99,0}, {0x3c3d,104,100,0}, {0x375e,99,93,0},
    {0x5231,105,102,0}, {0x4c0f,106,103,0}, {0x4639,107,104,0}, {0x415e,103,99,0}, {0x5627,105,106,1},
    {0x50e7,108,107,0}, {0x4b85,109,103,0}, {0x5597,110,109,0}, {0x504f,111,107,0}, {0x5a10,110,111,1},
    {0x5522,112,109,0}, {0x59eb,112,111,1}, {0x5a1d,113,113,0},};

static void arith_reset(Run *s)
{
    s->c = s->a = 0;
    s->ct = -16;
    memset(s->dc_state, 0, sizeof s->dc_state);
    memset(s->ac_state, 0, sizeof s->ac_state);
    memset(s->dc_context, 0, sizeof s->dc_context);
    s->even = 113;
}

static int arith_bit(Run *s, uint8_t *state) /* bit 7 of a state: the more probable symbol */
{
    while (s->a < 0x8000) {
        if (--s->ct < 0) {
            uint32_t b = 0; /* zeros after the end, D.2.6 */
            if (s->p < s->end && (*s->p != 0xFF || (s->end - s->p >= 2 && s->p[1] == 0))) {
                b = *s->p;
                s->p += b == 0xFF ? 2 : 1;
            }
            s->c = s->c << 8 | b;
            s->ct += 8;
            if (s->ct < 0 && ++s->ct == 0)
                s->a = 0x8000;
        }
        s->a <<= 1;
    }
    uint8_t old = *state, mps = old & 0x80, index = old & 0x7F;
    uint32_t qe = STATE[index].qe;
    int lps = 0;
    s->a -= qe;
    if (s->c >= s->a << s->ct) {
        s->c -= s->a << s->ct;
        lps = s->a >= qe;
        s->a = qe;
    } else if (s->a < 0x8000)
        lps = s->a < qe;
    else
        return mps >> 7;
    /* Where the intervals were exchanged the coded symbol is the opposite of the interval's name (D.1.2). */
    if (lps) {
        *state = (uint8_t)((mps ^ (STATE[index].swap << 7)) | STATE[index].lps);
        return (mps >> 7) ^ 1;
    }
    *state = mps | STATE[index].mps;
    return mps >> 7;
}

static int32_t arith_magnitude(Run *s, uint8_t *state, int32_t m) /* the bits below the leading one */
{
    int32_t v = m;
    while (m >>= 1)
        if (arith_bit(s, state))
            v |= m;
    return v + 1;
}

static int32_t arith_dc(Run *s, int n, int slot) /* a DC difference, Figures F.19 to F.24 */
{
    uint8_t *base = s->dc_state[slot], *state = base + s->dc_context[n];
    s->dc_context[n] = 0;
    if (!arith_bit(s, state))
        return 0;
    int sign = arith_bit(s, state + 1);
    state += 2 + sign;
    int32_t m = arith_bit(s, state);
    if (m)
        for (state = base + 20; arith_bit(s, state); state++)
            if ((m <<= 1) >= 0x1000) {
                fail(s, CORRUPT);
                return 0;
            }
    if (m > (1 << s->scan->high[slot]) >> 1)
        s->dc_context[n] = 12 + 4 * sign;
    else if (m >= (1 << s->scan->low[slot]) >> 1)
        s->dc_context[n] = 4 + 4 * sign;
    m = arith_magnitude(s, state + 14, m);
    return sign ? -m : m;
}

static int32_t arith_ac(Run *s, int slot, int k) /* a non-zero AC value at k */
{
    uint8_t *state = s->ac_state[slot] + 3 * (k - 1) + 2;
    int sign = arith_bit(s, &s->even);
    int32_t m = arith_bit(s, state);
    if (m && arith_bit(s, state)) {
        m = 2;
        for (state = s->ac_state[slot] + (k <= s->scan->kx[slot] ? 189 : 217); arith_bit(s, state); state++)
            if ((m <<= 1) >= 0x800) {
                fail(s, CORRUPT);
                return 0;
            }
    }
    m = arith_magnitude(s, state + 14, m);
    return sign ? -m : m;
}

/* ---- reading and writing bands; v[k] is what the scan says about coefficient k ----
 * Readers return which coefficients became non-zero. */

static uint64_t read_band_arith(Run *s, int slot, int16_t *v)
{
    uint64_t set = 0;
    for (int k = s->scan->ss; k <= s->scan->se && !s->error; k++) {
        uint8_t *state = s->ac_state[slot] + 3 * (k - 1);
        if (arith_bit(s, state))
            return set;
        for (; !arith_bit(s, state + 1); state += 3)
            if (++k > s->scan->se) {
                fail(s, CORRUPT);
                return set;
            }
        v[k] = (int16_t)arith_ac(s, slot, k);
        set |= (uint64_t)1 << k;
    }
    return set;
}

static uint64_t read_refinement_arith(Run *s, int slot, int16_t *v, uint64_t seen)
{
    uint64_t set = 0;
    int last = s->scan->se;
    while (last && !(seen >> last & 1))
        last--;
    for (int k = s->scan->ss; k <= s->scan->se; k++) {
        uint8_t *state = s->ac_state[slot] + 3 * (k - 1);
        if (k > last && arith_bit(s, state))
            return set;
        for (;; state += 3) {
            if (seen >> k & 1) {
                v[k] = (int16_t)arith_bit(s, state + 2);
                break;
            }
            if (arith_bit(s, state + 1)) {
                v[k] = arith_bit(s, &s->even) ? -1 : 1;
                set |= (uint64_t)1 << k;
                break;
            }
            if (++k > s->scan->se) {
                fail(s, CORRUPT);
                return set;
            }
        }
    }
    return set;
}

static uint64_t read_band(Run *s, int slot, int16_t *v) /* G.1.2.2 */
{
    uint64_t set = 0;
    int idle = 0; /* 16 zeros were said last: where nothing follows them, the end of the block says it (F.1.2.2) */
    if (s->run_in) {
        s->run_in--;
        return set;
    }
    for (int k = s->scan->ss; k <= s->scan->se && !s->error; k++) {
        int sym = symbol(s, slot), r = sym >> 4, n = sym & 15;
        if (!n && r < 15) {
            s->run_in = (1 << r) + (int32_t)take(s, r) - 1;
            break;
        }
        k += r;
        idle = !n;
        if (k > s->scan->se || n > 10) {
            fail(s, CORRUPT);
            return set;
        }
        if (n) {
            v[k] = (int16_t)extend(take(s, n), n);
            set |= (uint64_t)1 << k;
        }
    }
    s->said->loose |= idle;
    return set;
}

static uint64_t read_refinement(Run *s, int slot, int16_t *v, uint64_t seen) /* G.1.2.3 */
{
    uint64_t set = 0;
    int k = s->scan->ss, se = s->scan->se, idle = 0;
    for (; !s->run_in && k <= se && !s->error; k++) {
        int sym = symbol(s, slot), r = sym >> 4, n = sym & 15, fresh = 0;
        if (n > 1) {
            fail(s, CORRUPT);
            return set;
        }
        if (n)
            fresh = take(s, 1) ? 1 : -1;
        else if (r < 15) {
            s->run_in = (1 << r) + (int32_t)take(s, r);
            break;
        }
        idle = !n;
        for (; k <= se; k++) {
            if (seen >> k & 1)
                v[k] = (int16_t)take(s, 1);
            else if (--r < 0)
                break;
        }
        if (k > se) {
            fail(s, CORRUPT);
            return set;
        }
        v[k] = (int16_t)fresh;
        set |= (uint64_t)(n != 0) << k;
    }
    s->said->loose |= idle;
    if (s->run_in) {
        for (uint64_t old = k > 63 ? 0 : seen & s->band & (~(uint64_t)0 << k); old; old &= old - 1)
            v[lowest(old)] = (int16_t)take(s, 1);
        s->run_in--;
    }
    return set;
}

/* `set`: bit k for every k with something to write. */
static void write_band(Run *s, int slot, const int16_t *v, uint64_t set)
{
    int before = s->scan->ss - 1;
    for (; set; set &= set - 1) {
        int k = lowest(set), zeros = k - before - 1;
        flush_run(s, slot);
        for (; zeros > 15; zeros -= 16)
            emit(s, slot, 0xF0, 0, 0);
        emit_value(s, slot, zeros, v[k]);
        before = k;
    }
    if (before == s->scan->se)
        return;
    if (s->scan->mode == SEQUENTIAL)
        emit(s, slot, 0, 0, 0);
    else
        end_block(s, slot);
}

static void write_refinement(Run *s, int slot, const int16_t *v, uint64_t seen, uint64_t fresh)
{
    uint8_t bit[64];
    int zeros = 0, bits = 0, before = s->scan->ss - 1;
    for (uint64_t set = (seen & s->band) | fresh; set; set &= set - 1) {
        int k = lowest(set);
        zeros += k - before - 1;
        before = k;
        for (; zeros > 15 && fresh; zeros -= 16) { /* with nothing fresh ahead the block's end says it */
            flush_run(s, slot);
            emit(s, slot, 0xF0, 0, 0);
            bits = put_bits(s, bit, bits);
        }
        if (seen >> k & 1) {
            bit[bits++] = (uint8_t)v[k];
            continue;
        }
        fresh &= fresh - 1;
        flush_run(s, slot);
        emit(s, slot, zeros << 4 | 1, v[k] > 0, 1);
        bits = put_bits(s, bit, bits);
        zeros = 0;
    }
    if (before == s->scan->se && !zeros && !bits)
        return;
    memcpy(s->held_bit + s->held, bit, (size_t)bits);
    s->held += bits;
    end_block(s, slot);
}

/* ---- blocks ---- */

static Step step_of(const Decode *d, uint32_t look)
{
    uint32_t e = d->look[look], n = e & 255, bits = (e >> 8) + n;
    Step step = {0, 0, (uint8_t)n};
    if (e && n <= 11 && bits <= LOOK) {
        step.diff = (int16_t)extend(look >> (LOOK - bits) & ((1u << n) - 1), (int)n);
        step.bits = (uint8_t)bits;
    }
    return step;
}

static int32_t dc_difference(Run *s, int slot)
{
    if (s->reading) {
        refill(s);
        Step step = s->step[slot][s->window >> (64 - LOOK)];
        if (step.bits && step.bits <= s->bits) {
            s->window <<= step.bits;
            s->bits -= step.bits;
            s->said->met[slot][step.symbol] = 1;
            return step.diff;
        }
    }
    int size = symbol(s, slot);
    if (size > 11) {
        fail(s, CORRUPT);
        return 0;
    }
    return extend(take(s, size), size);
}

static void dc_block(Run *s, int n, const Part *part, int fate)
{
    int slot = part->dc;
    s->pred_in[n] += s->scan->arithmetic ? arith_dc(s, n, slot) : dc_difference(s, slot);
    if (s->pred_in[n] > 2047 || s->pred_in[n] < -2048)
        fail(s, CORRUPT);
    if (s->error || fate == DROP)
        return;
    if (fate == BEYOND && s->scan->mode == SEQUENTIAL && s->pred_in[n] != s->pred_out[n])
        s->said->past = 1;
    int32_t now = fate == FLAT ? part->flat >> s->scan->al : fate == BEYOND ? s->pred_out[n] : s->pred_in[n];
    if (!s->reading)
        emit_value(s, slot, 0, now - s->pred_out[n]);
    else if (now - s->pred_out[n] > 2047 || now - s->pred_out[n] < -2047) /* no symbol says that */
        fail(s, CORRUPT);
    s->pred_out[n] = now;
}

/* Over the coefficients from k on as far as leaps go; 0 where one of them ends the block. Reading alone. */
static int leaps(Run *s, int ac, int k, uint64_t *set)
{
    const Leap *leap = s->leap[ac];
    const uint8_t *p = s->p, *end = s->end;
    uint8_t *taken = s->taken[ac];
    uint64_t window = s->window, met = 0, bytes;
    int bits = s->bits;
    while (k) {
        if (plain_bytes(p, end, &bytes)) { /* always: whether bits run short is hard to foresee */
            window |= bytes >> bits;
            p += (63 - bits) / 8;
            bits |= 56;
        } else if (bits < 32)
            break;
        uint32_t look = (uint32_t)(window >> (64 - LOOK)), passed = leap[look].passed, ends = passed & BLOCK_ENDS;
        if (!leap[look].bits || k + (int)(passed ^ ends) > 63)
            break;
        taken[look] = 1;
        met |= (uint64_t)leap[look].set << k;
        k = ends ? 0 : k + (int)passed;
        bits -= leap[look].bits;
        window <<= leap[look].bits;
    }
    *set |= met;
    s->p = p;
    s->window = window;
    s->bits = bits;
    return k;
}

static void sequential_ac(Run *s, int number, const Part *part, int fate) /* Huffman to Huffman, symbol by symbol */
{
    int slot = part->ac + 4, waiting = 0, ended = 0; /* 16 zeros are written when something follows them */
    uint64_t set = 0;
    for (int k = 1; k < 64;) {
        if (s->reading && !waiting && !(k = leaps(s, part->ac, k, &set))) {
            ended = 1;
            break;
        }
        int sym = symbol(s, slot), r = sym >> 4, n = sym & 15;
        if (!n && r != 15) {
            if (r)
                fail(s, CORRUPT);
            ended = 1;
            break;
        }
        k += r + 1;
        if (k > 64 || n > 10) {
            fail(s, CORRUPT);
            return;
        }
        if (!n) {
            waiting++;
            continue;
        }
        uint32_t bits = take(s, n);
        set |= (uint64_t)1 << (k - 1);
        for (; waiting; waiting--)
            if (fate == KEEP)
                emit(s, slot, 0xF0, 0, 0);
        if (fate == KEEP)
            emit(s, slot, sym, bits, n);
    }
    s->said->loose |= waiting != 0;
    if (fate == KEEP)
        s->said->nonzero[number] |= set;
    else if (fate == BEYOND)
        s->said->past |= set != 0;
    if (fate != DROP && (ended || waiting || fate != KEEP))
        emit(s, slot, 0, 0, 0);
}

static void ac_block(Run *s, int n, const Part *part, int fate, size_t at)
{
    int16_t v[64];
    int slot = part->ac, refine = s->scan->mode == AC_REFINE;
    uint64_t seen = part->seen ? part->seen[at] : 0;
    if (s->run_in && !(refine && seen & s->band)) { /* most blocks: nothing in the band */
        s->run_in--;
        if (fate != DROP && !s->reading)
            end_block(s, slot + 4);
        return;
    }
    memset(v, 0, sizeof v);
    uint64_t fresh = s->scan->arithmetic ? (refine ? read_refinement_arith(s, slot, v, seen) : read_band_arith(s, slot, v))
                     : refine            ? read_refinement(s, slot + 4, v, seen)
                                         : read_band(s, slot + 4, v);
    if (s->error)
        return;
    if (part->seen_after)
        part->seen_after[at] = seen | fresh;
    if (fate == DROP)
        return;
    if (fate == BEYOND && s->scan->mode == SEQUENTIAL)
        s->said->past |= fresh != 0;
    if (fate != KEEP)
        fresh = seen = 0;
    s->said->nonzero[n] |= fresh;
    if (s->reading)
        return;
    if (refine)
        write_refinement(s, slot + 4, v, seen, fresh);
    else
        write_band(s, slot + 4, v, fresh);
}

static void block(Run *s, int n, const Part *part, size_t at)
{
    int fate = part->fate[at];
    switch (s->scan->mode) {
    case SEQUENTIAL:
        dc_block(s, n, part, fate);
        if (s->scan->arithmetic)
            ac_block(s, n, part, fate, at);
        else if (!s->error)
            sequential_ac(s, n, part, fate);
        break;
    case DC_FIRST:
        dc_block(s, n, part, fate);
        break;
    case DC_REFINE: {
        uint32_t bit = s->scan->arithmetic ? (uint32_t)arith_bit(s, &s->even) : take(s, 1);
        if (fate == FLAT)
            bit = (uint32_t)(part->flat >> s->scan->al) & 1;
        if (fate != DROP)
            put(s, fate == BEYOND ? 0 : bit, 1);
        break;
    }
    default:
        ac_block(s, n, part, fate, at);
    }
}

static int valid(const Scan *scan)
{
    int ac = scan->mode >= AC_FIRST;
    if (scan->mode < SEQUENTIAL || scan->mode > AC_REFINE || scan->parts < 1 || scan->parts > 4 || scan->mcus_x < 1 ||
        scan->mcus_y < 1 || scan->restart < 0 || scan->al < 0 || scan->al > 13)
        return 0;
    if (ac || scan->mode == SEQUENTIAL ? scan->ss < ac || scan->ss > scan->se || scan->se > 63 : scan->se != 0)
        return 0;
    if (scan->mode == SEQUENTIAL && scan->ss != 1) /* the band of its AC part */
        return 0;
    for (int n = 0; n < scan->parts; n++) {
        const Part *p = &scan->part[n];
        if (p->h < 1 || p->h > 4 || p->v < 1 || p->v > 4 || p->dc < 0 || p->dc > 3 || p->ac < 0 || p->ac > 3)
            return 0;
        if (!p->fate || (int64_t)scan->mcus_x * p->h > p->stride || (int64_t)scan->mcus_y * p->v > p->rows)
            return 0;
        if ((scan->mode == AC_REFINE && !p->seen) || scan->low[p->dc] > 15 || scan->high[p->dc] > 15)
            return 0;
        int dc_used = scan->mode == SEQUENTIAL || scan->mode == DC_FIRST, ac_used = ac || scan->mode == SEQUENTIAL;
        if (!scan->arithmetic && ((dc_used && !scan->defined[p->dc]) || (ac_used && !scan->defined[4 + p->ac])))
            return 0;
    }
    return 1;
}

static int end_segment(Run *s)
{
    if (s->run_in)
        return -1;
    if (s->scan->mode >= AC_FIRST && s->scan->keep_restarts)
        flush_run(s, s->scan->part[0].ac + 4);
    return next_marker(s);
}

/* Where the first marker at or behind `at` stands: 0xFF that no stuffed zero follows, nor, where `restarts` is set, the
 * code of a restart marker (T.81, B.1.1.2 and F.1.2.3); -1 when there is none. */
int64_t medimg_next_marker(const uint8_t *data, int64_t at, int64_t size, int32_t restarts)
{
    while (at >= 0 && at + 1 < size) {
        const uint8_t *found = memchr(data + at, 0xFF, (size_t)(size - 1 - at));
        if (!found)
            break;
        at = found - data;
        if (found[1] != 0 && !(restarts && (found[1] & 0xF8) == 0xD0))
            return at;
        at += 2;
    }
    return -1;
}

int32_t medimg_kernel_version(void)
{
    return KERNEL_VERSION;
}

size_t medimg_scan_size(void)
{
    return sizeof(Scan);
}

size_t medimg_result_size(void)
{
    return sizeof(Result);
}

size_t medimg_work_size(void)
{
    return sizeof(Run);
}

static int32_t run(Run *s, const Scan *scan, const uint8_t *in, int64_t in_size, Result *result)
{
    if (!valid(scan) || in_size < 0 || s->o_end < s->o)
        return BAD_CALL;
    memset(result, 0, sizeof *result);
    s->said = result;
    s->scan = scan;
    s->p = in;
    s->end = in + in_size;
    s->band = (~(uint64_t)0 >> (63 - scan->se)) & (~(uint64_t)0 << scan->ss);
    for (int slot = 0; slot < 8; slot++)
        if (make_tables(s, slot))
            return CORRUPT;
    for (int slot = 0; s->reading && slot < 4; slot++)
        for (uint32_t look = 0; scan->mode == SEQUENTIAL && scan->defined[4 + slot] && look < 1 << LOOK; look++)
            s->leap[slot][look] = leap_of(&s->dec[4 + slot], look, 0);
    for (int slot = 0; s->reading && slot < 4; slot++)
        for (uint32_t look = 0; scan->defined[slot] && look < 1 << LOOK; look++)
            s->step[slot][look] = step_of(&s->dec[slot], look);
    arith_reset(s);
    int32_t left = scan->restart, restarts = 0;
    for (int32_t my = 0; my < scan->mcus_y; my++)
        for (int32_t mx = 0; mx < scan->mcus_x; mx++) {
            if (scan->restart && left-- == 0) {
                if (end_segment(s) != 0xD0 + (restarts & 7))
                    return BAD_RESTART;
                s->p += 2;
                arith_reset(s);
                memset(s->pred_in, 0, sizeof s->pred_in);
                if (scan->keep_restarts) {
                    memset(s->pred_out, 0, sizeof s->pred_out);
                    pad(s);
                    if (!s->freq && !s->reading) {
                        *s->o++ = 0xFF;
                        *s->o++ = (uint8_t)(0xD0 + (restarts & 7));
                    }
                }
                restarts++;
                left = scan->restart - 1;
            }
            for (int n = 0; n < scan->parts; n++) {
                const Part *part = &scan->part[n];
                for (int y = 0; y < part->v; y++)
                    for (int x = 0; x < part->h; x++) {
                        /* A block writes at most 64 codes of 26 bits and 1024 held bits, every byte stuffed. */
                        if (!s->freq && !s->reading && s->o_end - s->o < 2048)
                            return NO_SPACE;
                        size_t at = (size_t)(my * part->v + y) * (size_t)part->stride + (size_t)(mx * part->h + x);
                        block(s, n, part, at);
                        if (s->error)
                            return s->error;
                    }
            }
        }
    if (end_segment(s) < 0)
        return SHORT;
    if (scan->mode >= AC_FIRST)
        flush_run(s, scan->part[0].ac + 4);
    pad(s);
    if (s->error)
        return s->error;
    result->consumed = s->p - in;
    result->extra = s->extra;
    for (int slot = 0; slot < 4; slot++)
        for (uint32_t look = 0; look < 1 << LOOK; look++)
            if (s->taken[slot][look])
                leap_of(&s->dec[4 + slot], look, result->met[4 + slot]);
    return OK;
}

/* Rewrites the scan whose entropy-coded data begin at `in`. `work` has medimg_work_size() bytes. With `freq` (8 x 256)
 * nothing is written: the symbols that would be are counted. With neither `out` nor `freq` it is only read. */
int32_t medimg_scan(const Scan *scan, void *work, const uint8_t *in, int64_t in_size, uint8_t *out, int64_t out_size,
                    uint32_t *freq, Result *result)
{
    Run *s = work;
    memset(s, 0, sizeof *s);
    s->o = out;
    s->o_end = out ? out + out_size : out;
    s->freq = freq;
    s->reading = !out && !freq;
    int32_t said = run(s, scan, in, in_size, result);
    result->written = s->o - out;
    return said;
}
