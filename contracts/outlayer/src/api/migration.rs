//! Taking an older state into newer code, and saying which code this is.

use kit::migration::{check_caller, read_state, stored_state, MigrationError};
use near_sdk::{env, near};

use crate::projects::{self, VersionView};
use crate::storage::{PROJECTS, VERSIONS};
use crate::{Outlayer, OutlayerExt, CONTRACT_VERSION, STATE_VERSION};

/// `get_version`: one name, two questions.
#[near(serializers = [json])]
#[serde(untagged)]
pub enum VersionAnswer {
    Contract(String),
    Project(Option<VersionView>),
}

#[near]
impl Outlayer {
    /// After a deploy: reads the state in the layout it was written in, and writes it in this code's. Harmless when there is nothing to do.
    #[init(ignore_state)]
    #[handle_result]
    pub fn migrate() -> Result<Self, MigrationError> {
        let contract: Self = read_state(&stored_state()?, STATE_VERSION)?;
        check_caller(&contract.owner_id)?;
        Ok(contract)
    }

    /// Without arguments the contract's version; with both, that version of a project or null.
    pub fn get_version(&self, project_id: Option<String>, version_key: Option<String>) -> VersionAnswer {
        match (project_id, version_key) {
            (Some(project_id), Some(version_key)) => VersionAnswer::Project(version(&project_id, &version_key)),
            (None, None) => VersionAnswer::Contract(CONTRACT_VERSION.to_string()),
            _ => env::panic_str("project_id and version_key go together: pass both, or none for the contract's own version"),
        }
    }
}

fn version(project_id: &str, version_key: &str) -> Option<VersionView> {
    let project = PROJECTS.get(&projects::record_id(project_id))?;
    let version_id = project.version_id(version_key);
    VERSIONS.get(&version_id).map(|version| version.view(project.active_version == version_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::borsh;

    #[test]
    fn a_state_of_this_layout_reads_as_it_was_written() {
        near_sdk::testing_env!(near_sdk::test_utils::VMContextBuilder::new().build());
        let contract = Outlayer::new("owner.near".parse().unwrap(), None, None, None);
        let bytes = borsh::to_vec(&contract).unwrap();
        assert_eq!(borsh::to_vec(&read_state::<Outlayer>(&bytes, STATE_VERSION).unwrap()).unwrap(), bytes);
    }
}
