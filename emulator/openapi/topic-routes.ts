import { routeDestinationProblem, routeSourceProblem } from '../forwarding/routes';
import { ActionError, type ActionParameters } from './parameters';

function createTopicRouteTable(parameters: ActionParameters): object {
  const { from, destinations } = named(parameters);
  const problem = routeSourceProblem(from);
  if (problem !== undefined) throw new ActionError('iot.route.InvalidTopic', `SrcTopic ${problem}.`);
  const { routes } = parameters.platform.forwarding;
  return outcome(
    destinations.filter((to) => routeDestinationProblem(to) !== undefined || !routes.add({ from, to })),
  );
}

function deleteTopicRouteTable(parameters: ActionParameters): object {
  const { from, destinations } = named(parameters);
  const { routes } = parameters.platform.forwarding;
  return outcome(destinations.filter((to) => !routes.remove({ from, to })));
}

/** Where messages of a topic go. */
function queryTopicRouteTable(parameters: ActionParameters): object {
  const topic = parameters.text('Topic');
  const found = parameters.platform.forwarding.routes.list().filter(({ from }) => from === topic);
  return { DstTopics: { Topic: found.map(({ to }) => to) } };
}

/** Where messages of a topic come from. */
function queryTopicReverseRouteTable(parameters: ActionParameters): object {
  const topic = parameters.text('Topic');
  const found = parameters.platform.forwarding.routes.list().filter(({ to }) => to === topic);
  return { SrcTopics: { Topic: found.map(({ from }) => from) } };
}

function named(parameters: ActionParameters): { from: string; destinations: string[] } {
  const destinations = parameters.list('DstTopic');
  if (destinations.length === 0) {
    throw new ActionError('MissingDstTopic', 'DstTopic is mandatory for this action.');
  }
  return { from: parameters.text('SrcTopic'), destinations };
}

function outcome(failed: string[]): object {
  return { IsAllSucceed: failed.length === 0, FailureTopics: { Topic: failed } };
}

export const TOPIC_ROUTE_ACTIONS = {
  CreateTopicRouteTable: createTopicRouteTable,
  DeleteTopicRouteTable: deleteTopicRouteTable,
  QueryTopicRouteTable: queryTopicRouteTable,
  QueryTopicReverseRouteTable: queryTopicReverseRouteTable,
};
