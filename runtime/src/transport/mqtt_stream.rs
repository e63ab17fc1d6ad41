//! AWS IoT MQTT-based file delivery.
