"""What ``posture doctor`` looks at, one group of parts a file."""
