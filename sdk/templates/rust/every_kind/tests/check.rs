//! `weir check` on the plugin, and its script for a few steps. The command is looked for on PATH.

use std::path::Path;
use std::process::Command;
use std::sync::Once;

fn succeeds(command: &mut Command) {
    let done = command.output().expect("the command is not on PATH");
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// `cargo test` alone leaves the plugin in target/release as it was: it is built here, so that no old one is tested.
fn build() {
    static BUILT: Once = Once::new();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    BUILT.call_once(|| succeeds(Command::new(env!("CARGO")).args(["build", "--release", "--manifest-path", manifest])));
}

#[test]
fn keeps_its_promises() {
    build();
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/lib@NAME@.so");
    succeeds(Command::new("weir").arg("check").arg(plugin));
}

#[test]
fn script_runs() {
    build();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/@NAME@.lua");
    succeeds(Command::new("weir").args(["run", "--trial", script]).current_dir(env!("CARGO_TARGET_TMPDIR")));
}
