/* LAN8720A Ethernet PHY on the MDIO bus (data sheet, chapter "Register Descriptions"). */
#include <string.h>

#include "parts.h"

#define BMCR              0
#define BMCR_RESET        0x8000u
#define BMCR_AUTONEG      0x1000u
#define BMCR_RESTART      0x0200u
#define BMSR              1
#define BMSR_ABLE         0x7809u
#define BMSR_AUTONEG_DONE 0x0020u
#define BMSR_LINK         0x0004u
#define ID1               2
#define ID2               3
#define ANAR              4
#define ANLPAR            5
#define ANER              6
#define SPECIAL           31 /* PHY special control/status */
#define SPECIAL_100_FULL  0x1058u

void phy_reset(esp32_t *chip)
{
    uint16_t *phy = chip->state.soc.emac.phy;
    memset(phy, 0, sizeof chip->state.soc.emac.phy);
    phy[BMCR] = BMCR_AUTONEG | 0x2000;
    phy[ID1] = 0x0007;
    phy[ID2] = 0xC0F1;
    phy[ANAR] = 0x01E1;
}

static bool present(const esp32_t *chip, unsigned addr)
{
    return !chip->config.phy_absent && addr == chip->config.phy_addr;
}

uint16_t phy_read(esp32_t *chip, unsigned addr, unsigned reg)
{
    const emac_t *e = &chip->state.soc.emac;
    if (!present(chip, addr))
        return 0xFFFF; /* nobody pulls MDIO low */
    switch (reg) {
    case BMSR: return (uint16_t)(BMSR_ABLE | (e->link ? BMSR_LINK | BMSR_AUTONEG_DONE : 0));
    case ANLPAR: return e->link ? 0x45E1 : 0;
    case ANER: return e->link ? 1 : 0;
    case SPECIAL: return e->link ? SPECIAL_100_FULL : 0x0040;
    default: return e->phy[reg];
    }
}

void phy_write(esp32_t *chip, unsigned addr, unsigned reg, uint16_t value)
{
    if (!present(chip, addr))
        return;
    if (reg == BMCR && (value & BMCR_RESET)) {
        phy_reset(chip);
        return;
    }
    if (reg == BMCR)
        value &= (uint16_t)~BMCR_RESTART;
    if (reg != BMSR && reg != ID1 && reg != ID2 && reg != ANLPAR && reg != ANER)
        chip->state.soc.emac.phy[reg] = value;
}

void esp32_eth_link(esp32_t *chip, int up)
{
    chip->state.soc.emac.link = up != 0;
}
