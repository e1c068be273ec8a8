//! Reads `tauri.conf.json` from the package root and the capabilities from `src-tauri/`.

use std::error::Error;
use std::fs;
use std::path::Path;

/// `generate_context!` stops the compiler when the UI has not been built; tests and lints of a fresh
/// clone need none, so this page stands in until `npm run build` replaces it.
const PLACEHOLDER: &str =
    "<!doctype html><title>Kennex Dialer</title><p>Run ./dev run to build the user interface.</p>";

fn main() -> Result<(), Box<dyn Error>> {
    let page = Path::new("ui/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("ui/dist")?;
        fs::write(page, PLACEHOLDER)?;
    }
    let attributes = tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/capabilities/**/*");
    Ok(tauri_build::try_build(attributes)?)
}
