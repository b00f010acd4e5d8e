"""What several tests share: rule bases, answers files and names to try, real servers, clients and terminals."""
