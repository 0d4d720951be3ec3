// A config node of the tests only: stands for a device whose states and notices the test makes up.
module.exports = (RED) => {
  RED.nodes.registerType('test-gateway', function (def) {
    RED.nodes.createNode(this, def);
    this.gatewayId = def.gatewayId;
    this.use = () => () => undefined;
    this.open = () => new Promise((resolve) => RED.events.emit(`test-gateway:${this.id}`, resolve));
  });
};
