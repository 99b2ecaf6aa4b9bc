/* Ethernet MAC with its DMA (ESP32 TRM, chapter "Ethernet Media Access Controller").
 *
 * A frame takes the time it takes at 100 Mbit/s. What arrives while the guest has no descriptor
 * free waits in the queue (as a switch with flow control would hold it) and goes on when the
 * guest asks for more. */
#include <string.h>

#include "parts.h"

/* DMA block */
#define BUSMODE    0x00 /* SWR 0, DSL [6:2], ATDS 7 */
#define TXPOLL     0x04
#define RXPOLL     0x08
#define RXBASE     0x0C
#define TXBASE     0x10
#define STATUS     0x14
#define OPMODE     0x18 /* SR 1, ST 13, FTF 20 */
#define INTEN      0x1C
#define MISSED     0x20
#define CURTXDESC  0x48
#define CURRXDESC  0x4C
#define OPMODE_SR  0x2u
#define OPMODE_ST  0x2000u
#define OPMODE_FEF 0x80u      /* hand on frames with errors */
#define OPMODE_DT  0x4000000u /* .. those whose only error is a checksum */
#define OPMODE_FTF 0x100000u
#define ST_TI      0x1u
#define ST_TU      0x4u
#define ST_RI      0x40u
#define ST_RU      0x80u
#define ST_AIS     0x8000u
#define ST_NIS     0x10000u
#define NORMAL     (ST_TI | ST_TU | ST_RI | 0x4000u)
#define ABNORMAL   (0x2000u | ST_RU | 0x73Au)
/* MAC block */
#define CONFIG      0x00 /* RE 2, TE 3, IPC 10 */
#define CONFIG_RE   0x4u
#define CONFIG_TE   0x8u
#define CONFIG_IPC  0x400u
#define FRAMEFILTER 0x04 /* PR 0, PM 4, DBF 5, RA 31 */
#define MIIADDR     0x10 /* BUSY 0, WRITE 1, REG [10:6], PHY [15:11] */
#define MIIDATA     0x14
#define ADDR0HIGH   0x40
#define ADDR0LOW    0x44

#define DESC_OWN      0x80000000u
#define RDES0_FS      0x200u
#define RDES0_LS      0x100u
#define RDES1_SIZE    0x1FFFu
#define RDES1_CHAINED 0x4000u
#define RDES1_END     0x8000u
#define TDES0_IC      0x40000000u
#define TDES0_LS      0x20000000u
#define TDES0_FS      0x10000000u
#define TDES0_END     0x200000u
#define TDES0_CHAINED 0x100000u
#define DESC_WORDS    4
#define DESC_SIZE     32u
#define FRAME_LEAST   60u
#define RING_MOST     1024 /* descriptors looked at for one frame: a ring may be hostile */
#define BYTE_TICKS    38u  /* 80 ns at 100 Mbit/s */
#define GAP_BYTES     24u  /* preamble, FCS, gap */

static emac_t *emac(esp32_t *chip)
{
    return &chip->state.soc.emac;
}

static void update_irq(esp32_t *chip)
{
    emac_t *e = emac(chip);
    uint32_t *st = &e->dma[STATUS / 4], enabled = e->dma[INTEN / 4];
    *st &= ~(ST_NIS | ST_AIS);
    if (*st & enabled & NORMAL)
        *st |= ST_NIS;
    if (*st & enabled & ABNORMAL)
        *st |= ST_AIS;
    soc_irq(chip, IRQ_ETH_MAC, *st & enabled & (ST_NIS | ST_AIS));
}

static bool load(esp32_t *chip, uint32_t addr, uint32_t d[DESC_WORDS])
{
    return !(addr & 3) && bus_dma_read(chip, addr, d, DESC_WORDS * 4);
}

/* --- receive -------------------------------------------------------------------------------- */

static bool accepts(const emac_t *e, const uint8_t *frame)
{
    uint32_t filter = e->mac[FRAMEFILTER / 4];
    uint32_t low = e->mac[ADDR0LOW / 4], high = e->mac[ADDR0HIGH / 4];
    const uint8_t own[6] = {(uint8_t)low,         (uint8_t)(low >> 8), (uint8_t)(low >> 16),
                            (uint8_t)(low >> 24), (uint8_t)high,       (uint8_t)(high >> 8)};
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
    if (filter & 0x80000001)
        return true;
    if (!memcmp(frame, broadcast, 6))
        return !(filter & 0x20);
    if (frame[0] & 1)
        return true; /* the hash filter is left to software */
    return !memcmp(frame, own, 6);
}

/* Does the checksum engine drop it? (TRM, registers EMACCONFIG and DMAOPERATION_MODE) */
static bool drops(const emac_t *e, const uint8_t *frame, uint32_t size)
{
    return (e->mac[CONFIG / 4] & CONFIG_IPC) && !(e->dma[OPMODE / 4] & (OPMODE_DT | OPMODE_FEF)) &&
           emac_checksum_error(frame, size);
}

static uint32_t next_rx(const emac_t *e, uint32_t addr, const uint32_t d[DESC_WORDS])
{
    if (d[1] & RDES1_CHAINED)
        return d[3];
    return d[1] & RDES1_END ? e->dma[RXBASE / 4] : addr + DESC_SIZE;
}

/* Are there descriptors for `size` bytes, all ours? */
static bool room_for(esp32_t *chip, uint32_t size)
{
    const emac_t *e = emac(chip);
    uint32_t addr = e->rx_desc, have = 0, d[DESC_WORDS];
    for (int n = 0; n < RING_MOST && have < size; n++) {
        if (!load(chip, addr, d) || !(d[0] & DESC_OWN) || !(d[1] & RDES1_SIZE))
            return false;
        have += d[1] & RDES1_SIZE;
        addr = next_rx(e, addr, d);
    }
    return have >= size;
}

static void deliver(esp32_t *chip, const uint8_t *frame, uint32_t size)
{
    emac_t *e = emac(chip);
    uint8_t wire[ESP32_ETH_FRAME_MAX + 8];
    memcpy(wire, frame, size);
    if (size < FRAME_LEAST) {
        memset(wire + size, 0, FRAME_LEAST - size);
        size = FRAME_LEAST;
    }
    memset(wire + size, 0, 4); /* the FCS; good by definition, software strips it */
    size += 4;
    for (uint32_t done = 0; done < size;) {
        uint32_t d[DESC_WORDS];
        if (!load(chip, e->rx_desc, d))
            return;
        uint32_t part = d[1] & RDES1_SIZE;
        if (part > size - done)
            part = size - done;
        if (!bus_dma_write(chip, d[2], wire + done, part))
            chip_log_once(chip, d[2], "EMAC receive buffer at 0x%08x is not in DRAM", d[2]);
        d[0] = done == 0 ? RDES0_FS : 0;
        done += part;
        if (done == size)
            d[0] |= RDES0_LS | size << 16;
        bus_dma_write(chip, e->rx_desc, d, 4);
        e->rx_desc = next_rx(e, e->rx_desc, d);
    }
    e->dma[STATUS / 4] |= ST_RI;
}

static bool receiving(const emac_t *e)
{
    return (e->dma[OPMODE / 4] & OPMODE_SR) && (e->mac[CONFIG / 4] & CONFIG_RE) && e->link;
}

static uint64_t wire_ticks(uint32_t size)
{
    return (uint64_t)((size < FRAME_LEAST ? FRAME_LEAST : size) + GAP_BYTES) * BYTE_TICKS;
}

static void schedule_rx(esp32_t *chip)
{
    frame_queue_t *q = &chip->eth_rx;
    if (q->head != q->tail && chip->state.events.when[EV_EMAC_RX] == EVENT_NEVER)
        chip_schedule(chip, EV_EMAC_RX,
                      chip_time(chip) + wire_ticks(q->frame[q->tail % ETH_QUEUE_FRAMES].size));
}

void emac_rx_event(esp32_t *chip)
{
    emac_t *e = emac(chip);
    frame_queue_t *q = &chip->eth_rx;
    if (q->head == q->tail)
        return;
    const uint8_t *frame = q->frame[q->tail % ETH_QUEUE_FRAMES].data;
    uint32_t size = q->frame[q->tail % ETH_QUEUE_FRAMES].size;
    if (receiving(e) && accepts(e, frame) && !drops(e, frame, size)) {
        if (!room_for(chip, (size < FRAME_LEAST ? FRAME_LEAST : size) + 4)) {
            e->dma[STATUS / 4] |= ST_RU;
            update_irq(chip);
            return; /* goes on at RXPOLL */
        }
        deliver(chip, frame, size);
        update_irq(chip);
    }
    q->tail++;
    schedule_rx(chip);
}

int esp32_eth_rx(esp32_t *chip, const void *frame, uint32_t size)
{
    frame_queue_t *q = &chip->eth_rx;
    if (size < 14 || size > ESP32_ETH_FRAME_MAX || q->head - q->tail == ETH_QUEUE_FRAMES)
        return -1;
    q->frame[q->head % ETH_QUEUE_FRAMES].size = (uint16_t)size;
    memcpy(q->frame[q->head % ETH_QUEUE_FRAMES].data, frame, size);
    q->head++;
    schedule_rx(chip);
    return 0;
}

/* --- transmit --------------------------------------------------------------------------------- */

static uint32_t next_tx(const emac_t *e, uint32_t addr, const uint32_t d[DESC_WORDS])
{
    if (d[0] & TDES0_CHAINED)
        return d[3];
    return d[0] & TDES0_END ? e->dma[TXBASE / 4] : addr + DESC_SIZE;
}

static void put_on_wire(esp32_t *chip, const uint8_t *frame, uint32_t size)
{
    frame_queue_t *q = &chip->eth_tx;
    if (!emac(chip)->link || size < 14)
        return;
    if (q->head - q->tail == ETH_QUEUE_FRAMES)
        q->tail++; /* nobody drains the wire */
    q->frame[q->head % ETH_QUEUE_FRAMES].size = (uint16_t)size;
    memcpy(q->frame[q->head % ETH_QUEUE_FRAMES].data, frame, size);
    q->head++;
    chip_notify(chip, ESP32_STOP_ETH);
}

/* One frame from the ring; false when the next descriptor is not ours. */
static bool transmit(esp32_t *chip)
{
    emac_t *e = emac(chip);
    uint8_t frame[ESP32_ETH_FRAME_MAX + 2];
    uint32_t size = 0, d[DESC_WORDS];
    bool fits = true;
    for (int n = 0; n < RING_MOST; n++) {
        if (!load(chip, e->tx_desc, d) || !(d[0] & DESC_OWN))
            return false;
        uint32_t part = d[1] & 0x1FFF;
        if (d[0] & TDES0_FS)
            size = 0;
        if (size + part > ESP32_ETH_FRAME_MAX || !bus_dma_read(chip, d[2], frame + size, part))
            fits = false;
        else
            size += part;
        uint32_t done = d[0] & ~DESC_OWN;
        bus_dma_write(chip, e->tx_desc, &done, 4);
        e->tx_desc = next_tx(e, e->tx_desc, d);
        if (d[0] & TDES0_LS) {
            if (size < FRAME_LEAST) {
                memset(frame + size, 0, FRAME_LEAST - size);
                size = FRAME_LEAST;
            }
            if (fits)
                put_on_wire(chip, frame, size);
            else
                chip_log_once(chip, d[2], "EMAC frame at 0x%08x is too long or not in DRAM", d[2]);
            if (d[0] & TDES0_IC)
                e->dma[STATUS / 4] |= ST_TI;
            chip_schedule(chip, EV_EMAC_TX, chip_time(chip) + wire_ticks(size));
            return true;
        }
    }
    return false;
}

static void poll_tx(esp32_t *chip)
{
    emac_t *e = emac(chip);
    if (chip->state.events.when[EV_EMAC_TX] != EVENT_NEVER)
        return; /* the wire is taken */
    if (!(e->dma[OPMODE / 4] & OPMODE_ST) || !(e->mac[CONFIG / 4] & CONFIG_TE))
        return;
    if (!transmit(chip))
        e->dma[STATUS / 4] |= ST_TU;
    update_irq(chip);
}

void emac_tx_event(esp32_t *chip)
{
    poll_tx(chip);
}

uint32_t esp32_eth_tx(esp32_t *chip, void *frame, uint32_t size)
{
    frame_queue_t *q = &chip->eth_tx;
    if (q->head == q->tail)
        return 0;
    uint32_t n = q->frame[q->tail % ETH_QUEUE_FRAMES].size;
    if (n > size)
        return 0;
    memcpy(frame, q->frame[q->tail % ETH_QUEUE_FRAMES].data, n);
    q->tail++;
    return n;
}

/* --- registers
 * ------------------------------------------------------------------------------------ */

static uint32_t dma_read(esp32_t *chip, int core, uint32_t offset)
{
    const emac_t *e = emac(chip);
    (void)core;
    if (offset >= 0x800)
        return offset < 0x900 ? e->ext[(offset - 0x800) / 4] : 0;
    switch (offset) {
    case CURTXDESC: return e->tx_desc;
    case CURRXDESC: return e->rx_desc;
    default: return offset < sizeof e->dma ? e->dma[offset / 4] : 0;
    }
}

static void dma_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    emac_t *e = emac(chip);
    (void)core;
    if (offset >= 0x800) {
        if (offset < 0x900)
            e->ext[(offset - 0x800) / 4] = value;
        return;
    }
    if (offset >= sizeof e->dma)
        return;
    switch (offset) {
    case BUSMODE:
        if (value & 1) { /* software reset, over at once */
            memset(e->dma, 0, sizeof e->dma);
            chip_schedule(chip, EV_EMAC_TX, EVENT_NEVER);
            value &= ~1u;
        }
        e->dma[BUSMODE / 4] = value;
        break;
    case STATUS: e->dma[STATUS / 4] &= ~value; break;
    case TXPOLL: poll_tx(chip); return;
    case RXPOLL: schedule_rx(chip); return;
    case RXBASE:
        e->dma[RXBASE / 4] = value;
        e->rx_desc = value;
        return;
    case TXBASE:
        e->dma[TXBASE / 4] = value;
        e->tx_desc = value;
        return;
    case OPMODE: {
        uint32_t before = e->dma[OPMODE / 4];
        e->dma[OPMODE / 4] = value & ~OPMODE_FTF;
        if (value & ~before & OPMODE_SR)
            schedule_rx(chip);
        if (value & ~before & OPMODE_ST)
            poll_tx(chip);
        break;
    }
    default: e->dma[offset / 4] = value;
    }
    update_irq(chip);
}

static uint32_t mac_read(esp32_t *chip, int core, uint32_t offset)
{
    (void)core;
    return emac(chip)->mac[offset / 4];
}

static void mac_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    emac_t *e = emac(chip);
    (void)core;
    e->mac[offset / 4] = value;
    if (offset == MIIADDR && (value & 1)) {
        unsigned phy = value >> 11 & 31, reg = value >> 6 & 31;
        if (value & 2)
            phy_write(chip, phy, reg, (uint16_t)e->mac[MIIDATA / 4]);
        else
            e->mac[MIIDATA / 4] = phy_read(chip, phy, reg);
        e->mac[MIIADDR / 4] = value & ~1u;
    } else if (offset == CONFIG) {
        schedule_rx(chip);
        poll_tx(chip);
    }
}

void emac_restart(esp32_t *chip)
{
    emac_t *e = emac(chip);
    memset(e->dma, 0, sizeof e->dma);
    memset(e->mac, 0, sizeof e->mac);
    memset(e->ext, 0, sizeof e->ext);
    chip_schedule(chip, EV_EMAC_TX, EVENT_NEVER);
    update_irq(chip);
    schedule_rx(chip); /* nobody receives now: what had to wait for room is lost */
}

static void emac_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    emac_t *e = emac(chip);
    bool link = e->link;
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return; /* the firmware resets it by DPORT before it resets the CPUs */
    memset(e, 0, sizeof *e);
    e->link = link; /* the cable knows nothing of resets */
    phy_reset(chip);
    schedule_rx(chip);
}

const peripheral_t emac_dma = {"EMAC_DMA", 0x3FF69000, 0x1000, emac_reset, dma_read, dma_write};
const peripheral_t emac_mac = {"EMAC_MAC", 0x3FF6A000, 0x1000, NULL, mac_read, mac_write};
