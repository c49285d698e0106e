//! Projects and their versions.

use kit::roster::Roster;
use kit::storage::{record_bytes, storage_cost};
use near_sdk::{env, near, AccountId};

use crate::api::views::page_size;
use crate::error::ProjectError;
use crate::projects::{check_name, owner_id, record_id, PaddedAccount, Project, ProjectView, Version, VersionView, MAX_VERSIONS};
use crate::source::CodeSource;
use crate::storage::{Tag, PROJECTS, VERSIONS};
use crate::{money, Outlayer, OutlayerExt};

#[near]
impl Outlayer {
    /// Makes the project `caller/name` with a first, active version. Returns its id.
    #[payable]
    #[handle_result]
    pub fn create_project(&mut self, name: String, source: CodeSource) -> Result<String, ProjectError> {
        self.assert_running()?;
        check_name(&name)?;
        let owner = env::predecessor_account_id();
        let source = source.checked()?;
        self.next_project_number += 1;
        let mut project = Project {
            number: self.next_project_number,
            owner: PaddedAccount::new(&owner),
            name,
            active_version: [0; 32],
            created_ns: env::block_timestamp(),
        };
        if PROJECTS.has(&record_id(&project.id())) {
            return Err(ProjectError::Exists(project.id()));
        }
        let bytes_before = env::storage_usage();
        project.active_version = put_version(&project, source)?;
        PROJECTS.put(&record_id(&project.id()), &project);
        list(&owner, &project);
        money::settle_storage(bytes_before, &owner)?;
        Ok(project.id())
    }

    /// Adds a version; its key is the wasm's hash, or `repo@commit`. Returns the key.
    #[payable]
    #[handle_result]
    pub fn add_version(&mut self, project_name: String, source: CodeSource, set_active: Option<bool>) -> Result<String, ProjectError> {
        self.assert_running()?;
        let mut project = own_project(&project_name)?;
        let source = source.checked()?;
        let version_key = source.version_key();
        let bytes_before = env::storage_usage();
        let version_id = put_version(&project, source)?;
        if set_active.unwrap_or(false) {
            project.active_version = version_id;
            PROJECTS.put(&record_id(&project.id()), &project);
        }
        money::settle_storage(bytes_before, &env::predecessor_account_id())?;
        Ok(version_key)
    }

    #[handle_result]
    pub fn set_active_version(&mut self, project_name: String, version_key: String) -> Result<(), ProjectError> {
        let mut project = own_project(&project_name)?;
        let version_id = project.version_id(&version_key);
        if !VERSIONS.has(&version_id) {
            return Err(ProjectError::NoVersion { project_id: project.id(), version_key });
        }
        project.active_version = version_id;
        PROJECTS.put(&record_id(&project.id()), &project);
        Ok(())
    }

    /// Removes a version that is not the active one and gives its deposit back.
    #[handle_result]
    pub fn remove_version(&mut self, project_name: String, version_key: String) -> Result<(), ProjectError> {
        let project = own_project(&project_name)?;
        let version_id = project.version_id(&version_key);
        if version_id == project.active_version {
            return Err(ProjectError::VersionIsActive { version_key });
        }
        let bytes_before = env::storage_usage();
        if !VERSIONS.remove(&version_id) {
            return Err(ProjectError::NoVersion { project_id: project.id(), version_key });
        }
        let mut versions = versions_of(&project);
        versions.remove(&version_id);
        versions.save();
        Ok(money::settle_storage(bytes_before, &env::predecessor_account_id())?)
    }

    /// Deletes a project with all its versions and gives their deposits back.
    #[handle_result]
    pub fn delete_project(&mut self, project_name: String) -> Result<(), ProjectError> {
        let project = own_project(&project_name)?;
        let owner = env::predecessor_account_id();
        let bytes_before = env::storage_usage();
        let mut versions = versions_of(&project);
        // From the end: no item has to move.
        for version_id in versions.page(0, MAX_VERSIONS.into()).iter().rev() {
            VERSIONS.remove(version_id);
            versions.remove(version_id);
        }
        versions.save();
        unlist(&owner, &project);
        PROJECTS.remove(&record_id(&project.id()));
        Ok(money::settle_storage(bytes_before, &owner)?)
    }

    /// Gives a project, its versions and their deposits to another account, under the same name. It rests until the new owner calls
    /// `set_active_version`, so that nobody's code runs under a name that did not ask for it. A deposit is needed only when the new
    /// owner's first list of projects outweighs what the old owner frees.
    #[payable]
    #[handle_result]
    pub fn transfer_project(&mut self, project_name: String, new_owner: AccountId) -> Result<String, ProjectError> {
        let mut project = own_project(&project_name)?;
        let owner = env::predecessor_account_id();
        let bytes_before = env::storage_usage();
        unlist(&owner, &project);
        PROJECTS.remove(&record_id(&project.id()));
        project.owner = PaddedAccount::new(&new_owner);
        project.rest();
        if PROJECTS.has(&record_id(&project.id())) {
            return Err(ProjectError::Exists(project.id()));
        }
        PROJECTS.put(&record_id(&project.id()), &project);
        list(&new_owner, &project);
        money::settle_storage(bytes_before, &owner)?;
        Ok(project.id())
    }

    pub fn get_project(&self, project_id: String) -> Option<ProjectView> {
        PROJECTS.get(&record_id(&project_id)).map(view)
    }

    pub fn list_user_projects(&self, account_id: AccountId, from_index: Option<u64>, limit: Option<u64>) -> Vec<ProjectView> {
        let names = projects_of(&account_id).page(from_index.unwrap_or(0), page_size(limit));
        names.iter().filter_map(|record_id| PROJECTS.get(record_id)).map(view).collect()
    }

    pub fn list_versions(&self, project_id: String, from_index: Option<u64>, limit: Option<u64>) -> Vec<VersionView> {
        let Some(project) = PROJECTS.get(&record_id(&project_id)) else { return Vec::new() };
        let ids = versions_of(&project).page(from_index.unwrap_or(0), page_size(limit));
        let found = ids.iter().filter_map(|id| VERSIONS.get(id).map(|version| (id, version)));
        found.map(|(id, version)| version.view(id[..] == project.active_version)).collect()
    }
}

fn own_project(name: &str) -> Result<Project, ProjectError> {
    check_name(name)?;
    let project_id = format!("{}/{name}", env::predecessor_account_id());
    PROJECTS.get(&record_id(&project_id)).ok_or(ProjectError::NotFound(project_id))
}

fn put_version(project: &Project, source: CodeSource) -> Result<[u8; 32], ProjectError> {
    let version_key = source.version_key();
    let version_id = project.version_id(&version_key);
    let mut versions = versions_of(project);
    if versions.len() >= MAX_VERSIONS {
        return Err(ProjectError::TooManyVersions { project_id: project.id(), max: MAX_VERSIONS });
    }
    if !versions.insert(&version_id) {
        return Err(ProjectError::VersionExists { project_id: project.id(), version_key });
    }
    versions.save();
    VERSIONS.put(&version_id, &Version { source, added_ns: env::block_timestamp() });
    Ok(version_id)
}

fn list(owner: &AccountId, project: &Project) {
    let mut projects = projects_of(owner);
    projects.insert(&record_id(&project.id()));
    projects.save();
}

fn unlist(owner: &AccountId, project: &Project) {
    let mut projects = projects_of(owner);
    projects.remove(&record_id(&project.id()));
    projects.save();
}

fn projects_of(owner: &AccountId) -> Roster {
    Roster::open(Tag::ProjectsOfOwner as u8, &owner_id(owner))
}

fn versions_of(project: &Project) -> Roster {
    Roster::open(Tag::VersionsOfProject as u8, &project.versions_id())
}

fn view(project: Project) -> ProjectView {
    let active = VERSIONS.get(&project.active_version).map(|version| version.source.version_key());
    let bytes = record_bytes(32, &project) + Roster::bytes_of_item(32);
    ProjectView {
        uuid: project.uuid(),
        owner: project.owner.account_id(),
        project_id: project.id(),
        active_version: active.unwrap_or_default(),
        created_at: project.created_ns,
        storage_deposit: storage_cost(bytes).into(),
        name: project.name,
    }
}
