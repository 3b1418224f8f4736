"""What several tests share: counting, fault injection, children to test with."""
