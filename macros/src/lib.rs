//! `orchestrator!`.
