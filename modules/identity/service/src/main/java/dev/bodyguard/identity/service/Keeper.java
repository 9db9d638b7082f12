package dev.bodyguard.identity.service;

/// Where a mesh's root is kept, and with it how members prove who they are.
public enum Keeper {
    /// In the state folder; members have join tokens.
    FOLDER,
    /// In a Secret of the Kubernetes cluster; members have tokens of their service accounts.
    SECRET
}
