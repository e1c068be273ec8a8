//! Reads `tauri.conf.json` from the package root and the capabilities from `src-tauri/`.

fn main() {
    // `generate_context!` stops the compiler when the UI has not been built; tests and lints of a
    // fresh clone need none, so an empty page stands in until `npm run build` replaces it.
    let page = std::path::Path::new("ui/dist/index.html");
    if !page.exists() {
        std::fs::create_dir_all("ui/dist").expect("create ui/dist");
        std::fs::write(page, "<!doctype html><title>Kennex Dialer</title><p>Run ./dev run to build the user interface.</p>")
            .expect("write the placeholder page");
    }
    tauri_build::try_build(
        tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/capabilities/**/*"),
    )
    .expect("prepare the Tauri build");
}
