//! Secrets and projects: who owns them, how they are found, and that their deposits are the stake of their bytes.

use near_sdk::env;

use crate::error::{DepositError, ProjectError, SecretError};
use crate::limits::ResourceLimits;
use crate::secrets::{AccessCondition, SecretAccessor};
use crate::source::{CodeSource, ExecutionSource};
use crate::world::*;

const PLENTY: u128 = 10u128.pow(24);
const SEALED: &str = "c2VhbGVk";

fn repo(branch: Option<&str>) -> SecretAccessor {
    SecretAccessor::Repo { repo: "github.com/o/r".into(), branch: branch.map(Into::into) }
}

fn store(world: &mut World, who: &str, deposit: u128, accessor: SecretAccessor, profile: &str) -> Result<(), SecretError> {
    let profile = profile.to_string();
    world.call(who, deposit, None, |contract| {
        contract.store_secrets(Some(accessor), None, None, profile, SEALED.into(), AccessCondition::AllowAll, None)
    })
}

fn wasm(byte: &str) -> CodeSource {
    CodeSource::WasmUrl { url: "https://example.org/app.wasm".into(), hash: byte.repeat(32), build_target: None }
}

fn bytes(world: &mut World) -> u64 {
    world.call(OWNER, 0, None, |_| env::storage_usage())
}

/// What came back of a deposit; the transfers are taken off the way.
fn landed(world: &mut World, who: &str) -> u128 {
    let back = world.owed_to(who);
    while !world.in_flight.is_empty() {
        world.land(true);
    }
    back
}

#[test]
fn the_estimate_is_what_storing_costs_to_the_yocto() {
    let mut world = World::new();
    let estimates = ["default", "another"].map(|profile| {
        let estimate = world.call("a.near", 0, None, |contract| {
            let access = AccessCondition::AllowAll;
            contract.estimate_storage_cost(repo(None), profile.into(), id("a.near"), SEALED.into(), access, None)
        });
        store(&mut world, "a.near", PLENTY, repo(None), profile).unwrap();
        assert_eq!(landed(&mut world, "a.near"), PLENTY - estimate.as_ref().unwrap().0);
        estimate.unwrap().0
    });
    assert!(estimates[1] < estimates[0], "the first also pays for the lengths of its lists");
}

#[test]
fn too_small_a_deposit_is_refused() {
    let refused = store(&mut World::new(), "b.near", 0, repo(None), "default");
    assert!(matches!(refused, Err(SecretError::Deposit(DepositError::TooLittle { attached: 0, .. }))));
}

#[test]
fn deleting_secrets_gives_every_byte_back() {
    let mut world = World::new();
    let before = bytes(&mut world);
    store(&mut world, "a.near", PLENTY, repo(None), "one").unwrap();
    store(&mut world, "a.near", PLENTY, repo(Some("main")), "two").unwrap();
    let paid = 2 * PLENTY - landed(&mut world, "a.near");
    for (accessor, profile) in [(repo(None), "one"), (repo(Some("main")), "two")] {
        world.call("a.near", 0, None, |contract| contract.delete_secrets(accessor, profile.into())).unwrap();
    }
    assert_eq!(landed(&mut world, "a.near"), paid);
    assert_eq!(bytes(&mut world), before);
    let gone = world.call("a.near", 0, None, |contract| contract.delete_secrets(repo(None), "one".into()));
    assert!(matches!(gone, Err(SecretError::NotFound { .. })));
}

#[test]
fn a_branch_falls_back_to_the_repository_and_a_profile_to_nothing() {
    let mut world = World::new();
    store(&mut world, "a.near", PLENTY, repo(None), "default").unwrap();
    let found = |accessor, profile: &str| world.contract.get_secrets(accessor, profile.into(), id("a.near")).unwrap();
    assert_eq!(found(repo(Some("main")), "default").unwrap().accessor, repo(None));
    assert_eq!(found(repo(None), "default").unwrap().encrypted_secrets, SEALED);
    assert!(found(repo(None), "other").is_none());
    assert!(world.contract.get_secrets(repo(None), "default".into(), id("b.near")).unwrap().is_none());
    assert!(!world.contract.secrets_exist(repo(Some("main")), "default".into(), id("a.near")).unwrap());
}

#[test]
fn secrets_are_listed_by_owner_and_profiles_by_accessor() {
    let mut world = World::new();
    for (accessor, profile) in [(repo(None), "a"), (repo(None), "b"), (repo(Some("main")), "c")] {
        store(&mut world, "a.near", PLENTY, accessor, profile).unwrap();
    }
    let contract = &world.contract;
    assert_eq!(contract.list_profiles(id("a.near"), repo(None), None, None).unwrap(), ["a", "b"]);
    assert_eq!(contract.list_profiles(id("a.near"), repo(Some("main")), None, None).unwrap(), ["c"]);
    assert_eq!(contract.list_user_secrets(id("a.near"), Some(1), Some(1))[0].profile, "b");
    assert_eq!(contract.list_user_secrets(id("a.near"), None, None).len(), 3);
    assert!(contract.list_user_secrets(id("b.near"), None, None).is_empty());
}

#[test]
fn a_longer_access_rule_needs_the_difference_and_a_shorter_one_gives_it_back() {
    let mut world = World::new();
    store(&mut world, "a.near", PLENTY, repo(None), "default").unwrap();
    landed(&mut world, "a.near");
    let long = || AccessCondition::Whitelist { accounts: vec![id("friend.near")] };
    let update = |world: &mut World, deposit, access| {
        world.call("a.near", deposit, None, |contract| contract.update_access(repo(None), "default".into(), access))
    };
    update(&mut world, PLENTY, long()).unwrap();
    let cost = PLENTY - landed(&mut world, "a.near");
    assert!(cost > 0);
    update(&mut world, 0, AccessCondition::AllowAll).unwrap();
    assert_eq!(landed(&mut world, "a.near"), cost);
}

#[test]
fn secrets_of_a_project_need_the_project() {
    let mut world = World::new();
    let accessor = || SecretAccessor::Project { project_id: "a.near/app".into() };
    let missing = store(&mut world, "a.near", PLENTY, accessor(), "default");
    assert_eq!(missing, Err(SecretError::Project(ProjectError::NotFound("a.near/app".into()))));
    world.call("a.near", PLENTY, None, |contract| contract.create_project("app".into(), wasm("ab"))).unwrap();
    assert_eq!(store(&mut world, "a.near", PLENTY, accessor(), "default"), Ok(()));
}

#[test]
fn a_project_stands_for_its_active_version() {
    let mut world = World::new();
    world.call("a.near", PLENTY, None, |contract| contract.create_project("app".into(), wasm("ab"))).unwrap();
    let key = world.call("a.near", PLENTY, None, |contract| contract.add_version("app".into(), wasm("cd"), Some(false))).unwrap();
    let mut resolved = |version_key: Option<String>| {
        world.call(CLIENT, DEPOSIT, None, |contract| {
            let source = ExecutionSource::Project { project_id: "a.near/app".into(), version_key };
            contract.request_execution(Some(source), None, Some(ResourceLimits::default()), None, None, None, None, None);
        });
        let request = world.contract.get_request(world.contract.next_request_id - 1).unwrap();
        (request.resolved_source, request.data.project_id, request.data.project_uuid)
    };
    let (id, uuid) = (Some("a.near/app".to_string()), Some("p0000000000000001".to_string()));
    assert_eq!(resolved(None), (wasm("ab"), id.clone(), uuid.clone()));
    assert_eq!(resolved(Some(key.clone())), (wasm("cd"), id.clone(), uuid.clone()));
    world.call("a.near", 0, None, |contract| contract.set_active_version("app".into(), key)).unwrap();
    let mut versions = world.contract.list_versions("a.near/app".into(), None, None);
    versions.retain(|version| version.is_active);
    assert_eq!(versions[0].source, wasm("cd"));
}

#[test]
fn a_transferred_project_keeps_its_versions_changes_no_byte_and_rests_until_its_new_owner_takes_it() {
    let mut world = World::new();
    world.call("a.near", PLENTY, None, |contract| contract.create_project("app".into(), wasm("ab"))).unwrap();
    landed(&mut world, "a.near");
    let before = bytes(&mut world);
    let new_owner = "a-much-longer-name-than-before.near";
    world.call("a.near", 0, None, |contract| contract.transfer_project("app".into(), id(new_owner))).unwrap();
    assert_eq!((bytes(&mut world), landed(&mut world, "a.near")), (before, 0));
    assert!(world.contract.get_project("a.near/app".into()).is_none());
    let project = world.contract.get_project(format!("{new_owner}/app")).unwrap();
    assert_eq!((project.owner, project.active_version.as_str()), (id(new_owner), ""));
    assert_eq!(world.contract.list_versions(project.project_id, None, None).len(), 1);
    world.call(new_owner, 0, None, |contract| contract.set_active_version("app".into(), "ab".repeat(32))).unwrap();
    assert_eq!(world.contract.get_project(format!("{new_owner}/app")).unwrap().active_version, "ab".repeat(32));
    assert_eq!((bytes(&mut world), landed(&mut world, new_owner)), (before, 0));
    assert_eq!(world.contract.list_user_projects(id(new_owner), None, None).len(), 1);
    assert!(world.contract.list_user_projects(id("a.near"), None, None).is_empty());
}

#[test]
fn deleting_a_project_gives_every_byte_back() {
    let mut world = World::new();
    let before = bytes(&mut world);
    world.call("a.near", PLENTY, None, |contract| contract.create_project("app".into(), wasm("ab"))).unwrap();
    world.call("a.near", PLENTY, None, |contract| contract.add_version("app".into(), wasm("cd"), None)).unwrap();
    let paid = 2 * PLENTY - landed(&mut world, "a.near");
    world.call("a.near", 0, None, |contract| contract.delete_project("app".into())).unwrap();
    assert_eq!((landed(&mut world, "a.near"), bytes(&mut world)), (paid, before));
}

#[test]
fn versions_are_removed_but_not_the_active_one() {
    let mut world = World::new();
    world.call("a.near", PLENTY, None, |contract| contract.create_project("app".into(), wasm("ab"))).unwrap();
    let again = world.call("a.near", PLENTY, None, |contract| contract.add_version("app".into(), wasm("ab"), None));
    assert!(matches!(again, Err(ProjectError::VersionExists { .. })));
    world.call("a.near", PLENTY, None, |contract| contract.add_version("app".into(), wasm("cd"), Some(true))).unwrap();
    let remove = |world: &mut World, who: &str, byte: &str| {
        world.call(who, 0, None, |contract| contract.remove_version("app".into(), byte.repeat(32)))
    };
    assert!(matches!(remove(&mut world, "a.near", "cd"), Err(ProjectError::VersionIsActive { .. })));
    assert!(matches!(remove(&mut world, "b.near", "ab"), Err(ProjectError::NotFound(_))));
    assert_eq!(remove(&mut world, "a.near", "ab"), Ok(()));
    assert!(matches!(remove(&mut world, "a.near", "ab"), Err(ProjectError::NoVersion { .. })));
}
