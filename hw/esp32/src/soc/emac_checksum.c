/* The receive checksum engine of the Ethernet MAC (ESP32 TRM, "Ethernet Media Access Controller",
 * receive checksum offload): which frames are dropped because IP, TCP, UDP or ICMP don't add up.
 *
 * Fragments, UDP without a checksum and protocols it doesn't know pass. A payload shorter than
 * the IP header says is an error, a longer one (padding) is not. */
#include "parts.h"

#define VLAN      0x8100u
#define IPV4      0x0800u
#define IPV6      0x86DDu
#define ICMP      1u
#define TCP       6u
#define UDP       17u
#define ICMPV6    58u
#define FRAGMENTS 0x3FFFu /* more fragments, and the offset */

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* One's complement sum (RFC 1071) on top of `sum`. */
static uint32_t add(uint32_t sum, const uint8_t *p, uint32_t size)
{
    for (; size > 1; size -= 2, p += 2)
        sum += word(p);
    return size ? sum + ((uint32_t)p[0] << 8) : sum;
}

static bool sums_up(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum == 0xFFFF;
}

/* addresses: `size` bytes of them, for the pseudo header */
static bool bad_payload(uint32_t protocol, const uint8_t *addresses, uint32_t addresses_size,
                        const uint8_t *payload, uint32_t size)
{
    uint32_t pseudo = add(protocol + size, addresses, addresses_size);
    switch (protocol) {
    case TCP: return size >= 20 && !sums_up(add(pseudo, payload, size));
    case UDP: return size >= 8 && word(payload + 6) && !sums_up(add(pseudo, payload, size));
    case ICMP: return size >= 4 && !sums_up(add(0, payload, size));
    case ICMPV6: return size >= 4 && !sums_up(add(pseudo, payload, size));
    default: return false;
    }
}

static bool bad_ipv4(const uint8_t *p, uint32_t size)
{
    uint32_t head = size ? (p[0] & 15u) * 4 : 0;
    if (size < 20 || p[0] >> 4 != 4 || head < 20 || head > size || !sums_up(add(0, p, head)))
        return true;
    uint32_t total = word(p + 2);
    if (total > size)
        return true;
    if (total < head || word(p + 6) & FRAGMENTS)
        return false;
    return bad_payload(p[9], p + 12, 8, p + head, total - head);
}

static bool bad_ipv6(const uint8_t *p, uint32_t size)
{
    if (size < 40 || p[0] >> 4 != 6)
        return true;
    uint32_t length = word(p + 4);
    return length > size - 40 || bad_payload(p[6], p + 8, 32, p + 40, length);
}

bool emac_checksum_error(const uint8_t *frame, uint32_t size)
{
    uint32_t at = word(frame + 12) == VLAN && size >= 18 ? 18 : 14;
    switch (word(frame + at - 2)) {
    case IPV4: return bad_ipv4(frame + at, size - at);
    case IPV6: return bad_ipv6(frame + at, size - at);
    default: return false;
    }
}
