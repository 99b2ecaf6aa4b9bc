"""How the camera board is wired: what is connected to which pin of the ESP32."""

from __future__ import annotations

CAMERA_UART = 2  # TX GPIO17, RX GPIO16, where MicroPython puts UART2 when told so
CAMERA_TX_GPIO, CAMERA_RX_GPIO = 17, 16
LED_GPIO = 2  # lit when high
LAN_MDC_GPIO, LAN_MDIO_GPIO, LAN_PHY_ADDR = 23, 18, 0  # LAN8720
