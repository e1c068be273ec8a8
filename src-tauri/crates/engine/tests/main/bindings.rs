//! The TypeScript the UI is compiled against must be the one this version of the API writes.

use std::path::Path;

/// Set `UPDATE_BINDINGS=1` to write the file instead of comparing it.
#[test]
fn bindings_are_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/host/bindings.ts");
    let fresh = dialer_engine::api::typescript();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == fresh, "ui/src/host/bindings.ts is stale: run `./dev bindings` and commit the result");
}
