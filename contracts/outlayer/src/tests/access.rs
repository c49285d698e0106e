//! Rules about secrets, one by one.

use crate::error::SecretError;
use crate::secrets::*;

fn rule(json: &str) -> AccessCondition {
    serde_json::from_str(json).unwrap()
}

#[test]
fn every_shape_of_access_is_read_and_written_as_the_protocol_spells_it() {
    for json in [
        r#""AllowAll""#,
        r#"{"Whitelist":{"accounts":["a.near"]}}"#,
        r#"{"AccountPattern":{"pattern":".*\\.near"}}"#,
        r#"{"NearBalance":{"operator":"Gte","value":"1"}}"#,
        r#"{"FtBalance":{"contract":"t.near","operator":"Lt","value":"5"}}"#,
        r#"{"NftOwned":{"contract":"n.near","token_id":null}}"#,
        r#"{"DaoMember":{"dao_contract":"d.near","role":"council"}}"#,
        r#"{"Logic":{"operator":"And","conditions":["AllowAll",{"Not":{"condition":"AllowAll"}}]}}"#,
    ] {
        let read = rule(json);
        assert_eq!(read.check(), Ok(()), "{json}");
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}

#[test]
fn a_rule_is_bounded_in_depth_width_and_length() {
    let deep = r#"{"Not":{"condition":"#.repeat(MAX_DEPTH) + r#""AllowAll""# + &"}}".repeat(MAX_DEPTH);
    assert_eq!(rule(&deep).check(), Err(SecretError::AccessTooBig { what: "levels", max: MAX_DEPTH }));
    let wide = AccessCondition::Logic { operator: LogicOperator::Or, conditions: vec![AccessCondition::AllowAll; MAX_CONDITIONS] };
    assert_eq!(wide.check(), Err(SecretError::AccessTooBig { what: "conditions", max: MAX_CONDITIONS }));
    let long = AccessCondition::Whitelist { accounts: vec!["a.near".parse().unwrap(); MAX_ACCOUNTS + 1] };
    assert!(long.check().is_err());
    assert!(AccessCondition::AccountPattern { pattern: "x".repeat(MAX_PATTERN_BYTES + 1) }.check().is_err());
    assert!(AccessCondition::Whitelist { accounts: vec![] }.check().is_err());
}

#[test]
fn an_accessor_has_one_spelling() {
    let shouted = SecretAccessor::Repo { repo: "https://GitHub.com/o/r.git".into(), branch: None };
    let plain = SecretAccessor::Repo { repo: "github.com/o/r".into(), branch: None };
    assert_eq!(shouted.canonical(), plain.canonical());
    let hash = SecretAccessor::WasmHash { hash: "AB".repeat(32) }.canonical().unwrap();
    assert_eq!(hash, SecretAccessor::WasmHash { hash: "ab".repeat(32) });
    assert!(SecretAccessor::WasmHash { hash: "xy".into() }.canonical().is_err());
    assert!(SecretAccessor::Repo { repo: "github.com/o/r".into(), branch: Some(String::new()) }.canonical().is_err());
}

#[test]
fn the_older_form_names_repository_and_branch() {
    let older = one_accessor(None, Some("github.com/o/r".into()), Some("main".into())).unwrap();
    assert_eq!(older, SecretAccessor::Repo { repo: "github.com/o/r".into(), branch: Some("main".into()) });
    assert_eq!(one_accessor(None, None, None), Err(SecretError::AccessorMissing));
    assert_eq!(one_accessor(Some(older), Some("x".into()), None), Err(SecretError::AccessorTwice));
}

#[test]
fn sealed_secrets_are_padded_base64_of_bounded_length() {
    for good in ["aGk=", "aGkh", "/+8="] {
        assert_eq!(check_encrypted(good), Ok(()), "{good}");
    }
    for bad in ["aGk", "a=Gk", "aG k", "====", "-_8=", "ü=="] {
        assert!(check_encrypted(bad).is_err(), "{bad}");
    }
    assert!(matches!(check_encrypted(""), Err(SecretError::Length { bytes: 0, .. })));
    assert!(check_encrypted(&"a".repeat(MAX_ENCRYPTED_BYTES + 4)).is_err());
}
