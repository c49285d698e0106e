"""What the deployment scripts share: the compose text that is measured, the measurements that follow from it, and an account that signs."""
