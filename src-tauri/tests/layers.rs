//! The rules of docs/adr/0002-layout.md, read from the manifests and the sources: a crate boundary
//! here stands for a rule, so a dependency that crosses it is a defect even where it compiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A crate of this workspace and what it may depend on.
struct Layer {
    name: &'static str,
    /// Workspace crates; the same holds for its tests.
    may_use: &'static [&'static str],
    /// Libraries that would break the layer's promise.
    never: &'static [&'static str],
}

/// Only the shell may name the window's toolkit.
const SHELL: &str = "kennex-dialer";
const SHELL_ONLY: &[&str] = &["tauri", "tauri-build", "tao", "wry", "webkit2gtk", "gtk"];
const SHELL_ONLY_PREFIX: &str = "tauri-plugin-";

const LAYERS: &[Layer] = &[
    // Pure decisions: no runtime, no network, no disk, no keychain, no sound.
    Layer {
        name: "dialer-domain",
        may_use: &[],
        never: &[
            "axum",
            "cpal",
            "hyper",
            "keyring",
            "reqwest",
            "rusqlite",
            "str0m",
            "tokio",
            "tokio-tungstenite",
        ],
    },
    Layer {
        name: "dialer-twilio",
        may_use: &["dialer-domain"],
        never: &["axum", "cpal", "keyring", "rusqlite"],
    },
    Layer { name: "dialer-storage", may_use: &["dialer-domain"], never: &["axum", "cpal", "reqwest"] },
    Layer {
        name: "dialer-media",
        may_use: &["dialer-domain"],
        never: &["axum", "keyring", "reqwest", "rusqlite"],
    },
    // What the internet can reach has no way to the keychain, the disk or the sound card.
    Layer {
        name: "dialer-gateway",
        may_use: &["dialer-domain", "dialer-twilio"],
        never: &["cpal", "keyring", "rusqlite", "str0m"],
    },
    // Far ends share codecs and the RTP transport with the voice engine (docs/adr/0008).
    Layer {
        name: "dialer-simulator",
        may_use: &["dialer-domain", "dialer-media", "dialer-twilio"],
        never: &["keyring", "rusqlite"],
    },
    Layer {
        name: "dialer-engine",
        may_use: &[
            "dialer-domain",
            "dialer-gateway",
            "dialer-media",
            "dialer-simulator",
            "dialer-storage",
            "dialer-twilio",
        ],
        never: &[],
    },
    Layer {
        name: "dialer-server",
        may_use: &[
            "dialer-domain",
            "dialer-engine",
            "dialer-gateway",
            "dialer-media",
            "dialer-simulator",
            "dialer-storage",
            "dialer-twilio",
        ],
        never: &[],
    },
    Layer {
        name: SHELL,
        may_use: &[
            "dialer-domain",
            "dialer-engine",
            "dialer-gateway",
            "dialer-media",
            "dialer-simulator",
            "dialer-storage",
            "dialer-twilio",
        ],
        never: &[],
    },
];

#[test]
fn crates_depend_only_on_the_layers_below() {
    let problems = dependency_problems(&metadata());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let root = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        section(&root, "[workspace.lints.rust]").contains(&"unsafe_code = \"forbid\""),
        "Cargo.toml must forbid unsafe code for the whole workspace"
    );
    for manifest in manifests(&metadata()) {
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(
            section(&text, "[lints]").contains(&"workspace = true"),
            "{} must have [lints] workspace = true",
            manifest.display()
        );
    }
}

#[test]
fn sources_keep_the_rules_no_lint_knows() {
    let mut seen = 0;
    let mut problems = Vec::new();
    for manifest in manifests(&metadata()) {
        let folder = manifest.parent().unwrap();
        let shell = folder == root();
        let sources = if shell { root().join("src-tauri/src") } else { folder.to_path_buf() };
        for file in rust_files(&sources) {
            seen += 1;
            let text = std::fs::read_to_string(&file).unwrap();
            problems.extend(
                source_problems(&text, shell)
                    .into_iter()
                    .map(|(line, problem)| format!("{}:{line}: {problem}", file.display())),
            );
        }
    }
    assert!(seen > LAYERS.len(), "only {seen} Rust files were found: the test looks in the wrong place");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_forbidden_dependency_is_reported() {
    let graph = |name: &str, dependency: &str| {
        let packages: Vec<Value> = LAYERS
            .iter()
            .map(|layer| {
                let dependencies: Vec<&str> = if layer.name == name { vec![dependency] } else { vec![] };
                serde_json::json!({
                    "name": layer.name,
                    "dependencies": dependencies.iter().map(|d| serde_json::json!({ "name": d })).collect::<Vec<_>>(),
                })
            })
            .collect();
        dependency_problems(&serde_json::json!({ "packages": packages }))
    };
    assert_eq!(graph("dialer-gateway", "dialer-twilio"), Vec::<String>::new());
    assert_eq!(graph("dialer-gateway", "dialer-storage").len(), 1);
    assert_eq!(graph("dialer-domain", "tokio").len(), 1);
    assert_eq!(graph("dialer-engine", "tauri").len(), 1);
    assert_eq!(graph("dialer-server", "tauri-plugin-shell").len(), 1);
    assert_eq!(graph("kennex-dialer", "dialer-server").len(), 1);
    assert_eq!(graph("kennex-dialer", "tauri"), Vec::<String>::new());
}

#[test]
fn a_forbidden_line_is_reported() {
    assert_eq!(source_problems("use tauri::Manager;\n", false).len(), 1);
    assert_eq!(source_problems("use tauri::Manager;\n", true), Vec::new());
    assert_eq!(source_problems("fn f() {\n    println!(\"x\");\n}\n", true)[0].0, 2);
    assert_eq!(source_problems("/// `tauri::App` and println!(…) in words.\n", false), Vec::new());
}

/// What in the graph crosses a boundary, as sentences.
fn dependency_problems(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut problems = Vec::new();
    for layer in LAYERS.iter().filter(|layer| !ours.contains(layer.name)) {
        problems.push(format!("{} is named in layers.rs but is no crate of the workspace", layer.name));
    }
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
            problems.push(format!("{name} has no line in layers.rs: say what it may depend on"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let dependency = dependency["name"].as_str().unwrap();
            let shell_only = SHELL_ONLY.contains(&dependency) || dependency.starts_with(SHELL_ONLY_PREFIX);
            if ours.contains(dependency) && dependency != name && !layer.may_use.contains(&dependency) {
                problems.push(format!("{name} must not depend on {dependency}"));
            }
            if layer.never.contains(&dependency) {
                problems.push(format!("{name} must not depend on the library {dependency}"));
            }
            if shell_only && name != SHELL {
                problems.push(format!("{name} must not depend on {dependency}: only the shell may"));
            }
        }
    }
    problems
}

/// Lines that break a rule, with their numbers from 1. Comments may name anything.
fn source_problems(text: &str, shell: bool) -> Vec<(usize, &'static str)> {
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if !shell && (code.contains("tauri::") || code.contains("use tauri")) {
            problems.push((index + 1, "only src-tauri/src may name tauri"));
        }
        if ["println!(", "print!("].iter().any(|word| code.contains(word)) {
            problems.push((
                index + 1,
                "write to a given stream or use tracing; println! ends the program on a closed pipe",
            ));
        }
        if code.contains("#[ignore]") {
            problems.push((index + 1, "an ignored test must say why: #[ignore = \"…\"]"));
        }
    }
    problems
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo knows of this workspace's own crates.
fn metadata() -> Value {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn manifests(metadata: &Value) -> Vec<PathBuf> {
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| PathBuf::from(package["manifest_path"].as_str().unwrap())).collect()
}

/// The lines of one section of a manifest.
fn section<'a>(manifest: &'a str, heading: &str) -> Vec<&'a str> {
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
