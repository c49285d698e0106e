//! Where code comes from: shapes, bounds, and the one spelling of a repository's name.

use kit::text::{array_from_hex, shorten, to_hex};
use near_sdk::near;

use crate::error::SourceError;
use crate::text;

/// `source` as callers send it.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub enum ExecutionSource {
    GitHub { repo: String, commit: String, build_target: Option<String> },
    WasmUrl { url: String, hash: String, build_target: Option<String> },
    Project { project_id: String, version_key: Option<String> },
}

/// A source without `Project`: what the worker is told. Variants are appended, never reordered: they are stored.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq)]
pub enum CodeSource {
    GitHub { repo: String, commit: String, build_target: Option<String> },
    WasmUrl { url: String, hash: String, build_target: Option<String> },
}

/// `code_source`, the older form of a repository.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct FlatSource {
    pub repo: String,
    pub commit: String,
    pub build_target: Option<String>,
}

pub const MAX_REPO_BYTES: usize = 256;
pub const MAX_URL_BYTES: usize = 1_024;
pub const MAX_COMMIT_BYTES: usize = 128;

/// Whether the worker may fetch these is its own to say, by the chain it works on; others are never fetched.
const SCHEMES: [&str; 3] = ["https://", "http://", "file://"];

/// The one source of a request: `source`, or the older `code_source`.
pub fn one_of(source: Option<ExecutionSource>, code_source: Option<FlatSource>) -> Result<ExecutionSource, SourceError> {
    match (source, code_source) {
        (Some(source), None) => Ok(source),
        (None, Some(FlatSource { repo, commit, build_target })) => Ok(ExecutionSource::GitHub { repo, commit, build_target }),
        (None, None) => Err(SourceError::Missing),
        (Some(_), Some(_)) => Err(SourceError::Both),
    }
}

impl CodeSource {
    /// Refuses what no worker could fetch, and spells hash and target in one way.
    pub fn checked(self) -> Result<Self, SourceError> {
        match self {
            Self::GitHub { repo, commit, build_target } => {
                check_repo(&repo)?;
                check_commit(&commit)?;
                Ok(Self::GitHub { repo, commit, build_target: check_target(build_target)? })
            }
            Self::WasmUrl { url, hash, build_target } => {
                check_url(&url)?;
                let hash = canonical_hash(&hash)?;
                Ok(Self::WasmUrl { url, hash, build_target: check_target(build_target)? })
            }
        }
    }

    /// What a project's version is called: the hash, or `repo@commit`.
    pub fn version_key(&self) -> String {
        match self {
            Self::GitHub { repo, commit, .. } => format!("{repo}@{commit}"),
            Self::WasmUrl { hash, .. } => hash.clone(),
        }
    }
}

/// 64 hex digits, lower case.
pub fn canonical_hash(hash: &str) -> Result<String, SourceError> {
    match array_from_hex::<32>(hash) {
        Some(bytes) => Ok(to_hex(&bytes)),
        None => Err(malformed("hash", hash, "it is the sha256 of the wasm, 64 hex digits")),
    }
}

/// `host/owner/name`: lower-case host, no scheme, no `.git`, no trailing slash.
pub fn canonical_repo(repo: &str) -> Result<String, SourceError> {
    const RULE: &str = "it is written github.com/owner/name, with or without https:// before and .git after it";
    too_long("repo", repo, MAX_REPO_BYTES)?;
    let bare = ["https://", "http://", "ssh://"].iter().find_map(|scheme| strip_prefix_ignoring_case(repo, scheme)).unwrap_or(repo);
    let bare = bare.strip_prefix("git@").map_or_else(|| bare.to_string(), |rest| rest.replacen(':', "/", 1));
    let bare = bare.trim_end_matches('/');
    let bare = bare.trim_end_matches(".git");
    let (host, path) = bare.split_once('/').ok_or_else(|| malformed("repo", repo, RULE))?;
    let parts_are_names = path.split('/').all(|part| text::is_label(part, MAX_REPO_BYTES) && part.trim_matches('.') != "");
    if !is_host(host) || path.split('/').count() < 2 || !parts_are_names {
        return Err(malformed("repo", repo, RULE));
    }
    Ok(format!("{}/{path}", host.to_ascii_lowercase()))
}

fn check_repo(repo: &str) -> Result<(), SourceError> {
    const RULE: &str = "it is written https://github.com/owner/name or github.com/owner/name (http:// and file:// on a local chain)";
    too_long("repo", repo, MAX_REPO_BYTES)?;
    let whole = match repo.split_once("://") {
        Some(_) => is_url(repo),
        None => repo.split_once('/').is_some_and(|(host, path)| is_host(host) && is_path(path)),
    };
    if whole {
        Ok(())
    } else {
        Err(malformed("repo", repo, RULE))
    }
}

fn check_url(url: &str) -> Result<(), SourceError> {
    too_long("url", url, MAX_URL_BYTES)?;
    if is_url(url) {
        return Ok(());
    }
    Err(malformed("url", url, "it starts with https:// (http:// and file:// on a local chain) and has no spaces, quotes or credentials"))
}

/// Neither an option of a command line nor a path upwards.
fn check_commit(commit: &str) -> Result<(), SourceError> {
    too_long("commit", commit, MAX_COMMIT_BYTES)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    if !commit.is_empty() && commit.bytes().all(allowed) && !commit.starts_with(['-', '/', '.']) && !commit.contains("..") {
        return Ok(());
    }
    Err(malformed("commit", commit, "it is a commit hash, a branch or a tag"))
}

fn check_target(target: Option<String>) -> Result<Option<String>, SourceError> {
    match target.as_deref() {
        None => Ok(None),
        // "wasm32-wasi" is what toolchains called it before 2024; older callers still do.
        Some("wasm32-wasi" | "wasm32-wasip1") => Ok(Some("wasm32-wasip1".to_string())),
        Some("wasm32-wasip2") => Ok(Some("wasm32-wasip2".to_string())),
        Some(other) => Err(SourceError::BuildTarget { value: shorten(other, 80) }),
    }
}

fn is_url(url: &str) -> bool {
    SCHEMES.iter().filter_map(|scheme| url.strip_prefix(scheme)).any(|rest| {
        let authority = rest.split('/').next().unwrap_or_default();
        is_path(rest) && !authority.contains('@') && (!authority.is_empty() || url.starts_with("file:///"))
    })
}

/// Printable, without what would have to be quoted in a log, a shell or HTML.
fn is_path(path: &str) -> bool {
    !path.is_empty() && path.bytes().all(|b| b.is_ascii_graphic() && !b"\"'\\<>`{}|^".contains(&b))
}

fn is_host(host: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-:".contains(&b);
    host.contains('.') && !host.starts_with(['-', '.']) && host.bytes().all(allowed)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn too_long(field: &'static str, value: &str, max: usize) -> Result<(), SourceError> {
    if value.len() <= max {
        return Ok(());
    }
    Err(SourceError::TooLong { field, bytes: value.len(), max })
}

fn malformed(field: &'static str, value: &str, rule: &'static str) -> SourceError {
    SourceError::Malformed { field, value: shorten(value, 120), rule }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn github(repo: &str, commit: &str) -> Result<CodeSource, SourceError> {
        CodeSource::GitHub { repo: repo.into(), commit: commit.into(), build_target: None }.checked()
    }

    fn wasm(url: &str, hash: &str) -> Result<CodeSource, SourceError> {
        CodeSource::WasmUrl { url: url.into(), hash: hash.into(), build_target: None }.checked()
    }

    #[test]
    fn repositories_are_taken_with_and_without_a_scheme() {
        for repo in ["https://github.com/o/r", "github.com/o/r", "http://127.0.0.1:9/o/r", "file:///tmp/repo"] {
            assert!(github(repo, "main").is_ok(), "{repo}");
        }
    }

    #[test]
    fn what_no_worker_could_clone_is_refused() {
        for repo in [
            "",
            "r",
            "ssh://github.com/o/r",
            "git@github.com:o/r",
            "--upload-pack=x",
            "ftp://a.b/c",
            "https://u:p@github.com/o/r",
            "a b.c/d",
        ] {
            assert!(github(repo, "main").is_err(), "{repo}");
        }
        assert!(matches!(github(&"a.b/".repeat(100), "main"), Err(SourceError::TooLong { max: MAX_REPO_BYTES, .. })));
    }

    #[test]
    fn a_commit_is_no_option_and_no_path_upwards() {
        assert!(github("github.com/o/r", "feature/x-1").is_ok());
        for commit in ["", "-x", "a..b", "/x", "a b", "a;b", ".x"] {
            assert!(github("github.com/o/r", commit).is_err(), "{commit}");
        }
    }

    #[test]
    fn a_hash_is_spelled_in_lower_case() {
        let CodeSource::WasmUrl { hash, .. } = wasm("https://x.org/a.wasm", &"AB".repeat(32)).unwrap() else { unreachable!() };
        assert_eq!(hash, "ab".repeat(32));
        assert!(wasm("https://x.org/a.wasm", "ab").is_err());
    }

    #[test]
    fn urls_of_other_schemes_are_refused() {
        let hash = "0".repeat(64);
        for url in ["https://x.org/a.wasm", "http://127.0.0.1:8/a.wasm", "file:///tmp/a.wasm"] {
            assert!(wasm(url, &hash).is_ok(), "{url}");
        }
        for url in ["ipfs://x", "x.org/a.wasm", "https://", "https:///a", "javascript:alert(1)", "https://x.org/\"", "https://a@b/c"] {
            assert!(wasm(url, &hash).is_err(), "{url}");
        }
    }

    #[test]
    fn the_older_name_of_a_target_is_spelled_in_the_newer_way() {
        assert_eq!(check_target(Some("wasm32-wasi".into())), Ok(Some("wasm32-wasip1".into())));
        assert!(matches!(check_target(Some("x86_64".into())), Err(SourceError::BuildTarget { .. })));
    }

    #[test]
    fn a_repository_has_one_name() {
        for repo in
            ["https://GitHub.com/o/r", "github.com/o/r.git", "github.com/o/r/", "HTTPS://github.com/o/r.git", "git@github.com:o/r.git"]
        {
            assert_eq!(canonical_repo(repo).as_deref(), Ok("github.com/o/r"), "{repo}");
        }
        // A name that could be shortened once more would be stored where no look-up finds it.
        assert_eq!(canonical_repo("github.com/o/r.git.git").as_deref(), Ok("github.com/o/r"));
        assert_eq!(canonical_repo("github.com/Owner/Repo").as_deref(), Ok("github.com/Owner/Repo"));
        for repo in ["", "github.com", "github.com/o", "github.com//r", "github.com/o/..", "github.com/o/r?x", "localhost/o/r"] {
            assert!(canonical_repo(repo).is_err(), "{repo}");
        }
    }

    #[test]
    fn exactly_one_source_is_taken() {
        let flat = FlatSource { repo: "github.com/o/r".into(), commit: "main".into(), build_target: None };
        assert!(matches!(one_of(None, Some(flat.clone())), Ok(ExecutionSource::GitHub { .. })));
        assert_eq!(one_of(None, None), Err(SourceError::Missing));
        let project = ExecutionSource::Project { project_id: "a.near/b".into(), version_key: None };
        assert_eq!(one_of(Some(project), Some(flat)), Err(SourceError::Both));
    }

    proptest! {
        #[test]
        fn the_name_of_a_repository_is_its_own_name(repo in "(https://)?[A-Za-z]{1,8}\\.[a-z]{2,3}/[A-Za-z0-9_-]{1,9}/[A-Za-z0-9_-]{1,9}(\\.git){0,2}/?") {
            let name = canonical_repo(&repo).unwrap();
            prop_assert_eq!(canonical_repo(&name).unwrap(), name);
        }

        #[test]
        fn no_text_at_all_upsets_the_checks(text in ".{0,300}") {
            let _ = (github(&text, &text), wasm(&text, &text), canonical_repo(&text));
        }
    }
}
