;; Keeps what it is told and says it again: deployed and called by each client.
(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "register_len" (func $register_len (param i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $storage_read (param i64 i64 i64) (result i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "log_utf8" (func $log_utf8 (param i64 i64)))
  (import "env" "panic_utf8" (func $panic_utf8 (param i64 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "STATE")
  (data (i32.const 16) "null")
  (data (i32.const 32) "it was told")
  (data (i32.const 64) "it went wrong")

  (func (export "tell")
    (call $input (i64.const 0))
    (call $read_register (i64.const 0) (i64.const 1024))
    (drop (call $storage_write (i64.const 5) (i64.const 0) (call $register_len (i64.const 0)) (i64.const 1024) (i64.const 1)))
    (call $log_utf8 (i64.const 11) (i64.const 32))
    (call $value_return (call $register_len (i64.const 0)) (i64.const 1024)))

  (func (export "told")
    (if (i64.eqz (call $storage_read (i64.const 5) (i64.const 0) (i64.const 0)))
      (then (call $value_return (i64.const 4) (i64.const 16)))
      (else
        (call $read_register (i64.const 0) (i64.const 1024))
        (call $value_return (call $register_len (i64.const 0)) (i64.const 1024)))))

  (func (export "boom")
    (call $panic_utf8 (i64.const 13) (i64.const 64)))
)
