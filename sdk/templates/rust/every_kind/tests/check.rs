//! `weir check` on the plugin that cargo just built, and its script for a few steps. The command is looked for on PATH.

use std::path::PathBuf;
use std::process::Command;

fn succeeds(command: &mut Command) {
    let done = command.output().expect("the command weir is not on PATH");
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// This test lies in target/release/deps, the plugin two folders up.
fn plugin() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().unwrap().parent().unwrap().join("lib@NAME@.so")
}

#[test]
fn keeps_its_promises() {
    succeeds(Command::new("weir").arg("check").arg(plugin()));
}

#[test]
fn script_runs() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/@NAME@.lua");
    succeeds(Command::new("weir").args(["run", "--trial", script]).current_dir(env!("CARGO_TARGET_TMPDIR")));
}
