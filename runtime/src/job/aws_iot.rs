//! AWS IoT Jobs.
