/* The audit's own search of coded JPEG data; medimg/audit/scans.py says what it gives. It shares no code with the
 * writer's: words of eight bytes are passed over while none of their bytes is 0xFF. C99, no other dependency.
 */
#include <stdint.h>
#include <string.h>

int64_t medimg_audit_coded_end(const uint8_t *data, int64_t at, int64_t size, int32_t restarts)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    for (; at < size; at++) {
        uint64_t word;
        while (at + 8 <= size) {
            memcpy(&word, data + at, 8);
            word = ~word;                         /* a byte 0xFF is now zero; the classic test for a zero byte */
            if ((word - ones) & ~word & tops)
                break;
            at += 8;
        }
        if (at < size && data[at] == 0xFF) {
            int next = at + 1 < size ? data[at + 1] : -1;
            if (next != 0 && !(restarts && next >= 0xD0 && next <= 0xD7))
                return at;
        }
    }
    return -1;
}
